"""What the query editor says: its sentences, and their table in a reader's language.

The editor's script has the English ones as keys; a test holds this list to them.
"""

import functools
import json

from tracktwo.web.language import interface


def _(text: str) -> str:
    return text


def ngettext(one: str, many: str) -> tuple[str, str]:
    return one, many


SENTENCES: tuple[str | tuple[str, str], ...] = (
    _("(empty)"),
    _("(none)"),
    _("Across"),
    _("Answer"),
    _("Ask for less, for example with LIMIT."),
    _("Asked on {day}: {url}"),
    _("Bar chart"),
    _("Bar chart: {y} by {x}"),
    _("Bars"),
    _("Cancel"),
    _("Cancelled after {time}."),
    _("Class “{label}”, {members}"),
    _("Code for"),
    _("Completions"),
    _("Control and Enter run it, Escape cancels, Control and Space complete, Tab leaves the editor."),
    _("Control character"),
    _("Copy"),
    _("Copy link"),
    _("Each part has matches, and leaving out any one of them gives no rows: several together keep them away."),
    _("Filter"),
    _("From"),
    _("Go to line {line}, column {column}"),
    _("Is the connection up? Run the query again."),
    _("It went over a limit of time or size while it was on its way."),
    _("Length"),
    _("Licence: {licence}."),
    _("Line chart"),
    _("Line chart: {y} over {x}"),
    _("Line {line}"),
    _("Line {line}: not a query"),
    _("Links from"),
    _("Links to"),
    _("Looking for what keeps the rows away…"),
    _("Named by"),
    _("Network"),
    _("Network: {nodes}, {links}"),
    _("No"),
    _("No answer"),
    _("No one pattern alone keeps the rows away, but nothing in the data matches:"),
    _("No rows."),
    _("No statements."),
    _("Nothing in the data matches this pattern."),
    _("One line for each"),
    _("Only the beginning is shown. Take the whole as a file."),
    _("Only the first {count} are here: the whole is too large for a page. Take it as a file."),
    _("Only the first {shown} of {total} rows are drawn."),
    _("Property “{label}”, {statements}"),
    _("Query “{name}”."),
    _("R 4.0 or later"),
    _("Raw"),
    _("Release {release}, {day}."),
    _("Release {release}."),
    _("Running…"),
    _("SPARQL query"),
    _("Selection deleted"),
    _("Show the answer as"),
    _("Show {num} more of {left}"),
    _("Shown as {picture}."),
    _("Space"),
    _("Table"),
    _("Table of {rows}"),
    _("Take it as"),
    _("The answer as it was sent"),
    _("The answer broke off"),
    _("The browser does not let the page copy; the address bar has the link of the last query that was run."),
    _("The citation is copied."),
    _("The citation is selected, to be copied by hand."),
    _("The code is copied."),
    _("The code is selected, to be copied by hand."),
    _("The download failed: {status}."),
    _("The link is copied."),
    _("The page failed"),
    _("The patterns do match; what comes after them (HAVING, OFFSET or LIMIT) leaves no row."),
    _("The plain form works without this script."),
    _("The server could not be reached."),
    _("The server cut this answer short."),
    _("The table has it all as text."),
    _("The time for looking was not enough to say what keeps the rows away."),
    _("There is no query yet."),
    ngettext("There is no room for {num} name.", "There is no room for {num} names."),
    _("This query is too long for a link."),
    _("This query was cancelled; Run asks it again."),
    _("Timeline"),
    _("Timeline: {y} by {x}"),
    _("To"),
    _("To cite the answer"),
    ngettext("Try again in {num} second.", "Try again in {num} seconds."),
    _("Up"),
    _("Use this query"),
    _("What"),
    _("Without any one of these there would be rows:"),
    _("Without this MINUS there would be rows:"),
    _("Without this filter there would be rows:"),
    _("Without this list of values there would be rows:"),
    _("Without this pattern there would be rows."),
    _("Without this there would be rows."),
    _("Without this triple pattern there would be rows:"),
    _("Yes"),
    _("class"),
    _("is of the class"),
    _("matches nothing in the data, even alone."),
    _("no"),
    _("property"),
    _("yes"),
    _("{count} in {time}."),
    _("{enter} runs, {escape} cancels, {space} completes, {tab} leaves the editor, {bracket} indents."),
    _("{from} to {to}"),
    ngettext("{num} entry in order of time.", "{num} entries in order of time."),
    ngettext("{num} example", "{num} examples"),
    ngettext("{num} link", "{num} links"),
    ngettext("{num} member", "{num} members"),
    _("{num} ms"),
    ngettext(
        "{num} name for which there is no room shows when pointed at.",
        "{num} names for which there is no room show when pointed at.",
    ),
    ngettext("{num} node", "{num} nodes"),
    ngettext("{num} row", "{num} rows"),
    ngettext("{num} row lacks what the picture needs.", "{num} rows lack what the picture needs."),
    _("{num} s"),
    ngettext("{num} statement", "{num} statements"),
    _("{some} and {num} more"),
    _("{time}, {num} MB so far"),
    _("{title}, release {release}"),
    _("{verdict}, in {time}."),
    _("{what}, after {time}."),
    _("{y} of each {x}."),
    _("{y} over {x}."),
)


@functools.cache
def words(language: str) -> str:
    """The table as JSON, what counts by the plural forms that CLDR names; empty where English is spoken anyway."""
    said = interface(language)
    if said.language == "en":
        return ""
    table: dict[str, str | dict[str, str]] = {}
    for sentence in SENTENCES:
        if isinstance(sentence, str):
            table[sentence] = said.gettext(sentence)
        else:
            table[sentence[0]] = said.forms(*sentence)
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))
