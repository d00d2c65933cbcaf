"""How the demonstration reads a spreadsheet's page."""

from __future__ import annotations

from demo.figures import Grids

PAGE = """<section><p>id</p><h2>Коррекции</h2><div><table><tr><th></th><th>A</th></tr>
<tr class="frozen"><th>1</th><td>Коррекция</td><td>Затраты, ч</td></tr>
<tr><th>2</th><td>Анализ &amp; меры</td><td></td></tr></table></div>
<h2>Сводка · pivot: 2</h2><table><tr><th>1</th><td>Общий итог</td></tr></table></section>"""


def test_the_cells_of_every_sheet_are_read_row_by_row() -> None:
    page = Grids()
    page.feed(PAGE)
    assert page.sheets == {
        "Коррекции": [[], ["Коррекция", "Затраты, ч"], ["Анализ & меры", ""]],
        "Сводка · pivot: 2": [["Общий итог"]],
    }
