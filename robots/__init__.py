"""The robots: one file each, one literal catalogue."""

from __future__ import annotations

from b24app.core.robot import Catalogue
from robots import (
    accept_work,
    autotask,
    book_visit,
    check_again,
    check_installation_date,
    check_installer_booking,
    check_open_tasks,
    confirm_payment,
    control_task,
    create_deal,
    form_submitted,
    installer_task,
    notify,
    record,
    relay_sms,
    remind_before,
    require_fields,
    return_deal,
    send_sms,
    task_finished,
    training_comment,
    wind_up,
)

CATALOGUE: Catalogue = {
    robot.code: robot
    for robot in (
        check_installation_date.ROBOT,
        check_installer_booking.ROBOT,
        require_fields.ROBOT,
        check_open_tasks.ROBOT,
        return_deal.ROBOT,
        check_again.ROBOT,
        training_comment.ROBOT,
        autotask.ROBOT,
        control_task.ROBOT,
        task_finished.ROBOT,
        form_submitted.ROBOT,
        remind_before.ROBOT,
        send_sms.ROBOT,
        notify.ROBOT,
        record.ROBOT,
        installer_task.ROBOT,
        accept_work.ROBOT,
        book_visit.ROBOT,
        wind_up.ROBOT,
        create_deal.ROBOT,
        confirm_payment.ROBOT,
        relay_sms.ROBOT,
    )
}
"""Every robot by its code."""
