"""Who has the two roles, what they may do, and what others may do with Lapsewatch's views and its ledger."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from lapsewatch.user_databases.profile import Profile
from lapsewatch.user_databases.verification.finding import Finding, good, note, problem
from lapsewatch.user_databases.verification.inquiry import Inquiry

READER, UNVERIFIER = "lapsewatch_reader", "lapsewatch_unverifier"
VIEWS_OF_READER = frozenset({"verified_email", "sole_address", "account"})
LEDGER_DUE: Mapping[str, set[tuple[str, str]]] = {
    "postgresql": {
        ("select", "unverification (address_key, checked_at, flags, host, reverified_at)"),
        ("insert", "unverification (address_key, checked_at, flags, host, verified_at)"),
        ("update", "unverification (reverified_at)"),
        ("execute", "read_key"),
        ("execute", "reverify_addresses"),
    },
    "mariadb": {
        ("select", "unverification (address_key, checked_at, flags, host, reverified_at)"),
        ("execute", "read_key"),
        ("execute", "unverify_addresses"),
        ("execute", "reverify_addresses"),
    },
}
"""What the unverifier may do with the ledger, and with the functions that write to it."""
COLUMNS_DUE = {
    ("update", "address (domain_last_checked, domain_last_status, unverify_reason, verified)"),
    ("execute", "read_key"),
}
"""What it may do where the evidence is kept in the system's own columns."""
ONLY_READ = frozenset({"select", "references", "usage", "maintain"})


def roles(inquiry: Inquiry) -> Iterator[Finding]:
    """Find whether the two roles are there, and the one has the rights of the other."""
    found = dict(inquiry.catalog("select_roles"))
    for role in (READER, UNVERIFIER):
        if role not in found:
            yield problem(f"there is no role {role}", "the script makes it, or who may make roles")
    if found.get(UNVERIFIER) is not None and READER in found and not found[UNVERIFIER]:
        yield problem(f"{UNVERIFIER} lacks the rights of {READER}", f"grant {READER} to {UNVERIFIER}")


def members(inquiry: Inquiry) -> Iterator[Finding]:
    """Find who has been given a role, and can log in for Lapsewatch."""
    names_by_role, superusers = _names_by_role(inquiry)
    for role, names in names_by_role.items():
        if len(names) > 1:
            yield note(
                f"{role} has been given to {' and '.join(sorted(names))}",
                f"revoke {role} from whom Lapsewatch does not log in as",
            )
    told = [f"{', '.join(sorted(names))} (as {role})" for role, names in names_by_role.items() if names]
    if told:
        yield good(f"who can log in for Lapsewatch: {'; '.join(told)}")
    for name in sorted(superusers):
        yield note(
            f"{name}, which has been given a role of Lapsewatch's, is a superuser, and may do everything",
            "let Lapsewatch log in as somebody who is none",
        )


def privileges(inquiry: Inquiry) -> Iterator[Finding]:
    """Find what the roles, and those who have been given one, may do beyond what they are for, or may not."""
    there = {role for role, _ in inquiry.catalog("select_roles")} & {READER, UNVERIFIER}
    names_by_role, superusers = _names_by_role(inquiry)
    held: dict[str, set[tuple[str, str]]] = defaultdict(set)
    asked = [*there, *names_by_role[READER], *names_by_role[UNVERIFIER]]
    for role, thing, privilege in inquiry.catalog(
        "select_privileges", tables=inquiry.table_names, roles=json.dumps(asked)
    ):
        held[role].add((privilege, thing))
    is_good = there == {READER, UNVERIFIER}
    for role in sorted(there):
        due = _due(inquiry.profile, role)
        is_good &= held[role] == due
        if missing := due - held[role]:
            yield problem(f"{role} may not {_listed(missing)}", "run the script again")
        if more := held[role] - due:
            yield problem(
                f"{role} may {_listed(more)}, which it is not to",
                f"revoke it from {role}, and from whom it has it: another role, or everybody (public)",
            )
    if is_good:
        yield good("both roles may do what they are for, and nothing else with these tables and views")
    for role, names in names_by_role.items():
        for name in sorted(names - superusers):
            if more := held[name] - held[role] - _due(inquiry.profile, role):
                yield problem(
                    f"{name}, which has been given {role}, may besides {_listed(more)}",
                    f"revoke it from {name}, and from whom it has it: who logs in for Lapsewatch needs {role} only",
                )


def grantees(inquiry: Inquiry) -> Iterator[Finding]:
    """Find who else may read, or write to, what Lapsewatch goes by."""
    reading: dict[str, set[tuple[str, str]]] = defaultdict(set)
    writing: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for thing, name, privilege in inquiry.catalog("select_grantees"):
        kind = reading if privilege in ONLY_READ else writing
        kind[name or "everybody (public)"].add((privilege, thing))
    for name, more in sorted(writing.items()):
        yield problem(
            f"{name} may {_listed(more)}: what Lapsewatch, its ledger and its views say could come from there",
            f"revoke it from {name}; where {name} owns something there, drop that and run the script again",
        )
    for name, more in sorted(reading.items()):
        yield note(
            f"{name} may {_listed(more)}",
            f"revoke it from {name}, unless {name} may know of all addresses",
        )
    if not reading and not writing:
        yield good("nobody else has been granted anything of Lapsewatch's")


def strangers(inquiry: Inquiry) -> Iterator[Finding]:
    """Find who made what a view may call by this login's rights: no view is read then."""
    if inquiry.strangers:
        yield note(
            f"plans and hosts are not looked at: what {' and '.join(inquiry.strangers)} put into the schema lapsewatch"
            " would run by this login's rights, which are more",
            f"ask again as a member of {UNVERIFIER}, which may do nothing else",
        )


def _names_by_role(inquiry: Inquiry) -> tuple[dict[str, set[str]], set[str]]:
    """Return who has been given each role, the unverifier's not named again as readers; and who is a superuser."""
    members: dict[str, set[str]] = {READER: set(), UNVERIFIER: set()}
    superusers = set()
    for role, name, is_superuser in inquiry.catalog("select_members"):
        members[role].add(name)
        if is_superuser:
            superusers.add(name)
    members[READER] -= members[UNVERIFIER]
    return members, superusers


def _due(profile: Profile, role: str) -> set[tuple[str, str]]:
    """Return what the role is to be able to do: privileges, each with what it is for."""
    due = {("select", view) for view in VIEWS_OF_READER}
    if role == UNVERIFIER:
        has_ledger = profile.evidence == "ledger"
        evidence = "unverified_address" if has_ledger else "address_evidence"
        due |= {("select", view) for view in ("verified_address", "address", evidence)}
        due |= LEDGER_DUE[profile.dialect] if has_ledger else COLUMNS_DUE
    return {(privilege, f"lapsewatch.{thing}") for privilege, thing in due}


def _listed(held: Iterable[tuple[str, str]]) -> str:
    """Say privileges in words: each with all that it is for."""
    by_privilege: dict[str, list[str]] = defaultdict(list)
    for privilege, thing in sorted(held):
        by_privilege[privilege].append(thing)
    return "; ".join(f"{privilege} {', '.join(things)}" for privilege, things in by_privilege.items())
