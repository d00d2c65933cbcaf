"""The robots: one file each, one literal catalogue."""

from __future__ import annotations

from b24app.core.robot import Catalogue
from robots import (
    autotask,
    check_installation_date,
    check_open_tasks,
    control_task,
    require_fields,
    return_deal,
    task_finished,
)

CATALOGUE: Catalogue = {
    robot.code: robot
    for robot in (
        check_installation_date.ROBOT,
        require_fields.ROBOT,
        check_open_tasks.ROBOT,
        return_deal.ROBOT,
        autotask.ROBOT,
        control_task.ROBOT,
        task_finished.ROBOT,
    )
}
"""Every robot by its code."""
