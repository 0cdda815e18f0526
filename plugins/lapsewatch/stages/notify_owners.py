"""Writes down what owners of addresses are to be told, each event once, and hands it to the webhook where there is one.

What there is to tell is read from what is recorded: what an attempt that died has not written, the next one finds. Whom
it goes to is the user database's to say, and said anew in every run until it is sent.
"""

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from lapsewatch.clients.webhook import NotDelivered, Webhook
from lapsewatch.core.domains import Registrable, classify_host
from lapsewatch.core.notifications import AddressUnverified, DomainExpiring, Kind, Notification, SingleAddress
from lapsewatch.core.policy import MAX_EVIDENCE_AGE
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import Account, SuspectHost, UserDatabase

log = logging.getLogger(__name__)

TELLS_UNVERIFIED_FOR = timedelta(days=7)
"""How long after an address was unverified its owner is still told, should no run have come to it."""

TELLS_OF_EXPIRY_AGAIN_AFTER = timedelta(days=90)
"""Longer than an expiry lasts: a registry that says now this, now that, must not make a letter of each change."""

ADVISES_AGAIN_AFTER = timedelta(days=365)
DELIVERS_FOR = timedelta(days=30)
"""How old a notification may be that the webhook is given: older ones are no news."""

MAX_ATTEMPTS = 10
FAILURES_IN_A_ROW = 5
DELIVERY_SECONDS = 1_800.0
"""After so many failures, or so long, delivery is left to the next run: a sick receiver must not hold up this one."""

HOSTS_PER_LOOKUP = 10_000
EVENTS_PER_TRANSACTION = 1_000

Item = TypeVar("Item")
Events = Mapping[str, Notification]
"""Notifications by their event keys."""


def notify_owners(run: Run, users: UserDatabase, status: Engine, webhook: Webhook | None) -> Counts:
    """Write the notifications that are due; deliver what is unsent, if there is a webhook.

    A dry run writes and delivers nothing, and counts what it would write. A delivery that fails does not fail the run.
    """
    if not run.dry_run:
        _mend_unsent(run, users, status)
    due = {
        Kind.ADDRESS_UNVERIFIED: _tell_of_unverifications(run, users, status),
        Kind.DOMAIN_EXPIRING: _tell_of_expiries(run, users, status),
        Kind.SINGLE_ADDRESS: _advise(run, status),
    }
    written = due if run.dry_run else _written(run, status)
    counts: Counts = {"notification_count": {kind.value: written.get(kind, 0) for kind in Kind}}
    if webhook is not None and not run.dry_run:
        counts["delivered_count"] = _deliver(run, status, webhook)
        with status.connect() as connection:
            values = {"since": run.clock() - DELIVERS_FOR}
            undelivered = connection.execute(statement("count_undelivered_notifications"), values)
            counts["undelivered_count"] = undelivered.scalar_one()
    log.info("%s: %s", "Dry run, nothing is written" if run.dry_run else "Notified", counts)
    return counts


def _mend_unsent(run: Run, users: UserDatabase, status: Engine) -> None:
    """Withdraw what has become untrue before it was sent, and choose again to which addresses the rest goes.

    Whoever was to be written to may have lost the domain, or the verification, since.
    """
    now = run.clock()
    with status.begin() as connection:
        connection.execute(statement("withdraw_ended_expiries"), {"now": now})
        connection.execute(statement("withdraw_outdated_advice"), {"now": now})
    with status.connect() as reading:
        streamed = reading.execution_options(stream_results=True, yield_per=EVENTS_PER_TRANSACTION)
        unsent = streamed.execute(statement("select_unsent_notifications"), {"since": now - DELIVERS_FOR})
        for rows in unsent.partitions():
            with status.begin() as connection:
                accounts, best_other = _accounts(connection, users, {row.address_key for row in rows})
                mended = []
                for row in rows:
                    account = accounts.get(row.address_key)
                    # Of an address that is verified there is an expiry to tell, of one that is not, why.
                    is_true = account is not None and account.is_verified == (row.kind == Kind.DOMAIN_EXPIRING)
                    itself = [row.address_key] if row.is_trusted else []
                    recipients = [*itself, *best_other[row.address_key]] if is_true else None
                    if recipients != row.recipients:
                        mended.append({"notification_id": str(row.notification_id), "recipients": recipients})
                values = {"notifications": json.dumps(mended), "now": now}
                connection.execute(statement("readdress_notifications"), values)


def _tell_of_unverifications(run: Run, users: UserDatabase, status: Engine) -> int:
    """Tell owners whose address was unverified, at another address; return how many."""
    told = 0
    since = run.clock() - TELLS_UNVERIFIED_FOR
    values = _listed(run) | {"since": since, "most": EVENTS_PER_TRANSACTION}
    with status.begin() as connection:
        connection.execute(statement("analyze_unverifications"))
    page = {"settled_at": since, "address_key": "", "domain": "", "lapsed_at": since}
    while True:
        with status.begin() as connection:
            after = {f"after_{name}": value for name, value in page.items()}
            rows = connection.execute(statement("select_untold_unverifications"), values | after).all()
            accounts, best_other = _accounts(connection, users, (row.address_key for row in rows))
            events: Events = {
                row.event_key: AddressUnverified(
                    account_key=accounts[row.address_key].account_key,
                    address_key=row.address_key,
                    domain=row.domain,
                    recipients=best_other[row.address_key],
                    lapsed_at=row.lapsed_at,
                    unverified_at=row.settled_at,
                    reason=row.reason,
                )
                for row in rows
                if row.address_key in accounts and not accounts[row.address_key].is_verified
            }
            _write(connection, run, Kind.ADDRESS_UNVERIFIED, events)
        told += len(events)
        if len(rows) < EVENTS_PER_TRANSACTION:
            return told
        page = {name: getattr(rows[-1], name) for name in page}


def _tell_of_expiries(run: Run, users: UserDatabase, status: Engine) -> int:
    """Tell owners of verified addresses whose domain has expired, there and at another address; return how many."""
    told = 0
    now = run.clock()
    values = _listed(run) | {"seen_since": now - MAX_EVIDENCE_AGE}
    with status.connect() as reading:
        streamed = reading.execution_options(stream_results=True, yield_per=HOSTS_PER_LOOKUP)
        for hosts in streamed.execute(statement("select_expiring_hosts"), values).partitions():
            expiry_of = {row.host: row for row in hosts}
            everybody = (SuspectHost(row.host, verified_before=now, unknown_too=True) for row in hosts)
            for found in _chunks(users.addresses_on(everybody)):
                addresses = [
                    {
                        "address_key": address.address_key,
                        "host": address.host,
                        "domain": expiry_of[address.host].domain,
                        "expired_since": expiry_of[address.host].expired_since.isoformat(),
                    }
                    for address in found
                ]
                with status.begin() as connection:
                    given = {"addresses": json.dumps(addresses), "since": now - TELLS_OF_EXPIRY_AGAIN_AFTER}
                    untold = connection.execute(statement("select_untold_expiries"), given).all()
                    accounts, best_other = _accounts(connection, users, (row.address_key for row in untold))
                    events: Events = {
                        row.event_key: DomainExpiring(
                            account_key=accounts[row.address_key].account_key,
                            address_key=row.address_key,
                            domain=expiry.domain,
                            # Where the mail is gone already, somebody else may read it.
                            recipients=((row.address_key,) if expiry.is_trusted else ()) + best_other[row.address_key],
                            expired_since=expiry.expired_since,
                            registrar=expiry.registrar,
                        )
                        for row in untold
                        for expiry in [expiry_of[row.host]]
                        if row.address_key in accounts
                    }
                    _write(connection, run, Kind.DOMAIN_EXPIRING, events)
                told += len(events)
    return told


def _advise(run: Run, status: Engine) -> int:
    """Advise the accounts that are most at risk, so many a run, however often it is tried; return how many."""
    advised = _written(run, status).get(Kind.SINGLE_ADDRESS, 0)
    values = {"since": run.clock() - ADVISES_AGAIN_AFTER, "most": max(run.max_advice - advised, 0)}
    with status.connect() as connection:
        rows = connection.execute(statement("select_accounts_to_advise"), _listed(run) | values).all()
    for chunk in _chunks(rows):
        events: Events = {
            row.event_key: SingleAddress(
                account_key=row.account_key,
                address_key=row.address_key,
                domain=row.domain,
                recipients=(row.address_key,),
                has_second_factor=row.has_second_factor,
                owned_count=row.owned_count,
                owns_popular=row.owns_popular,
            )
            for row in chunk
        }
        with status.begin() as connection:
            _write(connection, run, Kind.SINGLE_ADDRESS, events)
    return len(rows)


def _accounts(
    connection: Connection, users: UserDatabase, address_keys: Iterable[str]
) -> tuple[dict[str, Account], dict[str, tuple[str, ...]]]:
    """Return accounts by the addresses asked about, and to which other address of each may be written, if to any."""
    accounts = {account.address_key: account for account in users.accounts_of(address_keys)}
    kinds = {other.host: classify_host(other.host) for account in accounts.values() for other in account.others}
    domains = {host: kind.domain for host, kind in kinds.items() if isinstance(kind, Registrable)}
    asked = {"domains": sorted(set(domains.values()))}
    distrusted = set(connection.execute(statement("select_distrusted_domains"), asked).scalars())
    best_other = {
        address_key: tuple(
            other.address_key
            for other in account.others
            if other.host in domains and domains[other.host] not in distrusted
        )[:1]
        for address_key, account in accounts.items()
    }
    return accounts, best_other


def _write(connection: Connection, run: Run, kind: Kind, events: Events) -> None:
    """Write notifications, except those that another run has written meanwhile."""
    if run.dry_run or not events:
        return
    given = [
        {
            "event_key": event_key,
            "account_key": event.account_key,
            "domain": event.domain,
            "payload": event.payload(),
            **dict(zip(("subject", "body"), event.words(), strict=True)),
        }
        for event_key, event in events.items()
    ]
    values = {"notifications": json.dumps(given), "kind": kind.value, "run_id": run.run_id, "now": run.clock()}
    connection.execute(statement("insert_notifications"), values)


def _written(run: Run, status: Engine) -> dict[Kind, int]:
    with status.connect() as connection:
        rows = connection.execute(statement("count_notifications"), {"run_id": run.run_id}).all()
    return {Kind(row.kind): row.notification_count for row in rows}


def _deliver(run: Run, status: Engine, webhook: Webhook) -> int:
    """Deliver what is unsent, each once in this run; return how many were taken."""
    delivered = failures = 0
    latest = time.monotonic() + DELIVERY_SECONDS
    began_at = run.clock()
    values = {"began_at": began_at, "since": began_at - DELIVERS_FOR, "most_attempts": MAX_ATTEMPTS}
    while failures < FAILURES_IN_A_ROW and time.monotonic() < latest:
        # The row stays locked until it is settled, so that two runs do not deliver the same.
        with status.begin() as connection:
            row = connection.execute(statement("select_undelivered_notification"), values).one_or_none()
            if row is None:
                return delivered
            error = _attempt(webhook, row)
            outcome = {"notification_id": row.notification_id, "now": run.clock(), "error": error}
            connection.execute(statement("record_delivery"), outcome)
        delivered += int(error is None)
        failures = failures + 1 if error else 0
        if error:
            log.warning("Notification %s was not delivered: %s", row.notification_id, error)
    cause = "its time is up" if failures < FAILURES_IN_A_ROW else f"{failures} failures in a row"
    log.warning("Delivery stops here, %s: the next run goes on", cause)
    return delivered


def _attempt(webhook: Webhook, row: Any) -> str | None:
    """Deliver one notification; return None, or why it was not taken."""
    message = {
        "type": row.kind,
        "timestamp": row.created_at.astimezone(UTC).isoformat(),
        "data": row.payload,
        "subject": row.subject,
        "text": row.body,
    }
    try:
        webhook.deliver(str(row.notification_id), json.dumps(message).encode())
    except NotDelivered as error:
        return str(error)
    return None


def _listed(run: Run) -> dict[str, Any]:
    """Return what keeps a run over a list of domains to its list."""
    return {"scope": run.scope, "domains": run.listed_domains()}


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    waiting = iter(items)
    while chunk := list(islice(waiting, EVENTS_PER_TRANSACTION)):
        yield chunk
