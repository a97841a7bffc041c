"""``organon``: the commands put together, and the one place where errors become messages."""

import os
import sys

import typer

from orchestrator.cli import (
    adapt,
    agent,
    benchmark,
    campaign,
    cap,
    domain,
    keeping,
    lab,
    system,
    token,
    train,
    verify,
)
from orchestrator.errors import EXPECTED

app = typer.Typer(
    name="organon",
    help="An agent that does science by experiment: write a question down as a domain, and Organon plans the "
    "experiments, has them run, and reports what it found and how sure it is.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(domain.app, name="domain")
app.add_typer(campaign.app, name="campaign")
app.add_typer(lab.app, name="lab")
app.add_typer(cap.app, name="cap")
app.add_typer(agent.app, name="agent")
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(system.db, name="db")
app.add_typer(token.app, name="token")
app.command()(train.train)
app.command()(verify.verify)
keeping.add_to(app, campaign.app, system.db)
app.command("adapt")(adapt.adapt_command)
app.command()(system.worker)
app.command()(system.start)
app.command()(system.api)
app.command()(system.pages)
app.command()(system.doctor)
app.command()(system.demo)


def main() -> None:
    """Run a command. What the user can mend is one message on the error stream and exit status 2."""
    try:
        app()
    except EXPECTED as error:
        print(f"organon: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of our output left, as in `organon … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
