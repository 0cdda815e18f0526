"""Whether the service's tables are those that the profile follows, and the schema `lapsewatch` is its script's."""

from collections.abc import Iterator

from lapsewatch.user_databases.profile import Profile
from lapsewatch.user_databases.verification.finding import Finding, good, problem
from lapsewatch.user_databases.verification.inquiry import Inquiry

ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"text", "character varying", "character", "citext"}),
    frozenset({"smallint", "integer", "bigint"}),
    frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}),
    frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"}),
    frozenset({"timestamp with time zone", "timestamptz"}),
    frozenset({"timestamp without time zone", "timestamp"}),
    frozenset({"boolean", "bool"}),
)
"""Types that do the same work in a view, or are another name of the same."""


def tables(inquiry: Inquiry) -> Iterator[Finding]:
    """Find whether the columns that the profile reads are there, in types that do the same work."""
    found = inquiry.columns
    is_good = True
    for table, columns in inquiry.profile.tables.items():
        if table not in found:
            is_good = False
            yield problem(
                f"there is no table {table}, or this login may not see it",
                f"connect to the database of {inquiry.profile.title}, as the owner of its tables",
            )
            continue
        for column, kind in columns.items():
            there = found[table].get(column)
            if there is None:
                is_good = False
                yield problem(f"{table} has no column {column}", _other_schema(inquiry.profile))
            elif not _is_alike(there, kind):
                is_good = False
                yield problem(f"{table}.{column} is {there}, and not {kind}", _other_schema(inquiry.profile))
    if is_good:
        count = sum(map(len, inquiry.profile.tables.values()))
        yield good(f"{', '.join(inquiry.profile.tables)}: the {count} columns that are read are there, in their types")


def indexes(inquiry: Inquiry) -> Iterator[Finding]:
    """Find whether what is looked up by key is indexed."""
    found = {name for (name,) in inquiry.catalog("select_indexes", tables=inquiry.table_names)}
    # That a table is not there is said of the table.
    due = [it for it in inquiry.profile.indexes if it.partition("(")[0] in inquiry.columns]
    missing = [it for it in due if it not in found]
    for index in missing:
        yield problem(f"no index begins with {index}", "create one: looking up a key reads the whole table without it")
    if due and not missing:
        yield good("what is looked up by key is indexed")


def hidden_rows(inquiry: Inquiry) -> Iterator[Finding]:
    """Find tables whose row level security hides rows from the views' owner."""
    for table, role in inquiry.catalog("select_hidden_tables", tables=inquiry.table_names):
        yield problem(
            f"row level security on {table} hides rows from {role}, without a word: the views show too few",
            f"let the table's owner, or a role with BYPASSRLS, own the views and run the script, or"
            f" 'alter role {role} bypassrls'",
        )


def script(inquiry: Inquiry) -> Iterator[Finding]:
    """Find whether the schema `lapsewatch` was made by this version of the profile's script."""
    if not inquiry.marks:
        yield problem(
            "the schema lapsewatch is not there, or this login may not see it", run_the_script(inquiry.profile)
        )
    elif inquiry.marks != [inquiry.profile.mark()]:
        yield problem(
            "the schema lapsewatch was made by another version of the script", run_the_script(inquiry.profile)
        )
    else:
        yield good("the schema lapsewatch was made by this version of the script")


def run_the_script(profile: Profile) -> str:
    """Return in words how the owner runs the profile's script."""
    client = {"postgresql": "psql --single-transaction -v ON_ERROR_STOP=1", "mariadb": "mariadb"}
    return (
        f"its owner runs the script: lapsewatch profile show {profile.name} --grants > grants.sql, and"
        f" {client[profile.dialect]} with that file"
    )


def _other_schema(profile: Profile) -> str:
    return (
        f"the profile follows {profile.follows}: where yours differs, change grants.sql and profile.toml in a"
        " copy of the profile"
    )


def _is_alike(found: str, declared: str) -> bool:
    """Whether two types do the same work; a type of another schema is named with it."""
    pair = {found.rpartition(".")[2], declared.rpartition(".")[2]}
    return len(pair) == 1 or any(pair <= family for family in ALIKE)
