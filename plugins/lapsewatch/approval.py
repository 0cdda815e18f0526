"""The step at which a person decides, in Airflow: reached only by a run that is above its limits."""

from datetime import UTC, datetime
from typing import Any

from airflow.configuration import conf
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param

from lapsewatch import connections
from lapsewatch.page.addresses import unverifications_url
from lapsewatch.params import approval_timeout
from lapsewatch.stages.approve_unverifications import Answer, open_question, record_answer

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
        """Write the question's text and park until it is answered."""
        run_id = context["run_id"]
        with connections.status_database() as status:
            question = open_question(run_id, status, now=datetime.now(UTC), timeout=approval_timeout())
        self.subject = question.subject
        self.body = question.in_markdown(unverifications_url(conf.get("api", "base_url", fallback=""), run_id))
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the answer; on a rejection nobody is unverified."""
        if "error" not in event:
            user = event["responded_by_user"]
            with connections.status_database() as status:
                is_open = record_answer(
                    context["run_id"],
                    self._answer(event),
                    user and (user["name"] or user["id"]),
                    status,
                    now=datetime.now(UTC),
                )
            if not is_open:
                self.log.warning("The question was closed before this answer: it counts as a rejection")
                event = event | {"chosen_options": [self.REJECT]}
        return super().execute_complete(context, event)

    def _answer(self, event: dict[str, Any]) -> Answer:
        if event["chosen_options"] != [self.APPROVE]:
            return Answer.REJECTED
        chosen = (event["params_input"] or {}).get("unverify", UNSUSPICIOUS)
        return Answer.APPROVED if chosen == ALL else Answer.APPROVED_UNSUSPICIOUS
