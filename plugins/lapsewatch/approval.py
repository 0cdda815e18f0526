"""The step at which a person decides, in Airflow: reached only by a run that is above its limits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.configuration import conf
from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Context, Param

from lapsewatch import connections
from lapsewatch.page.addresses import unverifications_url
from lapsewatch.params import approval_timeout
from lapsewatch.stages.approve_unverifications import (
    Answer,
    count_planned,
    newest_answer,
    open_question,
    record_answer,
)

UNSUSPICIOUS = "only what is not suspicious"
ALL = "all"


def approval_params() -> dict[str, Param]:
    """Return what the form asks for besides "Approve" and "Reject"; the careful choice is the default."""
    return {
        "unverify": Param(
            UNSUSPICIOUS,
            enum=[UNSUSPICIOUS, ALL],
            title="On approval, unverify",
            description="Suspicious is a lapse under a top-level domain that is above its own limits, or one that"
            " neither the registry nor DNS has confirmed.",
        )
    }


class ApproveUnverifications(ApprovalOperator):
    """Asks whether to unverify, waits, and records the answer with who gave it.

    A rejection, or silence until the timeout, skips the task that would unverify. The texts are read from the status
    database when the task runs, so that no domain travels through XCom.
    """

    def execute(self, context: Context) -> None:
        """Write the question's text and park until it is answered; go by the answer if there is one already."""
        run_id = context["run_id"]
        with connections.status_database() as status:
            answer = newest_answer(run_id, status)
            if answer is not None:
                # An attempt before this one recorded it, and died before Airflow knew.
                self._go_by(answer, context, count_planned(run_id, status))
                return
            question = open_question(run_id, status, now=datetime.now(UTC), timeout=approval_timeout())
        self.subject = question.subject
        self.body = question.in_markdown(unverifications_url(conf.get("api", "base_url", fallback=""), run_id))
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> None:
        """Record the answer, and go by it. An answer that is not valid is not recorded: the question is asked again."""
        HITLOperator.execute_complete(self, context, event)
        answer, user = self._answer(event), event["responded_by_user"]
        with connections.status_database() as status:
            recorded = record_answer(context["run_id"], answer, _name(user), status, now=datetime.now(UTC))
            planned = count_planned(context["run_id"], status)
        if not recorded:
            self.log.warning("The question was closed, or asked anew, before this answer: it counts as a rejection")
        self._go_by(answer if recorded else Answer.REJECTED, context, planned)

    def _go_by(self, answer: Answer, context: Context, planned: int) -> None:
        """On a rejection skip what follows, unless there is something to do that was approved before."""
        self.log.info("The answer is: %s", answer.value)
        if answer is Answer.REJECTED and not planned:
            self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))

    def _answer(self, event: dict[str, Any]) -> Answer:
        if event["chosen_options"] != [self.APPROVE]:
            return Answer.REJECTED
        chosen = (event["params_input"] or {}).get("unverify", UNSUSPICIOUS)
        return Answer.APPROVED if chosen == ALL else Answer.APPROVED_UNSUSPICIOUS


def _name(user: Mapping[str, str] | None) -> str | None:
    """Return who answered: the name, or, where that is an e-mail address, the key in Airflow; None for silence."""
    if user is None:
        return None
    return user["id"] if "@" in user["name"] or not user["name"] else user["name"]
