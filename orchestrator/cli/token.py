"""``organon token``: who may speak to the HTTP interface, and open the pages."""

from typing import Annotated

import typer

from orchestrator import services, tokens
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.settings import load_settings

app = typer.Typer(help="Tokens that open the HTTP interface (organon api) and the pages.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="Whose it is: the name that goes on record.")],
    role: Annotated[str, typer.Option("--role", help="viewer (may look) or operator (may act).")] = "operator",
    json: Json = False,
) -> None:
    """Make a token. It is shown this once; only its hash is kept."""
    token = tokens.create_token(services.open_database(load_settings()), name, role)
    if json:
        print_json({"token": token, "name": name, "role": role})
    else:
        console.print(token, markup=False)


@app.command("list")
def list_tokens(json: Json = False) -> None:
    """Who holds a token."""
    found = tokens.list_tokens(services.open_database(load_settings()))
    if json:
        print_json(found)
    else:
        rows = [[t["id"], t["name"], t["role"], t["created_at"], t["revoked_at"]] for t in found]
        print_table(["id", "name", "role", "created", "revoked"], rows)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id, as organon token list shows it.", metavar="ID")],
    json: Json = False,
) -> None:
    """Let a token open nothing any more."""
    tokens.revoke_token(services.open_database(load_settings()), token)
    if json:
        print_json({"id": token, "revoked": True})
    else:
        console.print(f"token {token} opens nothing any more", markup=False)
