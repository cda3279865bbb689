# SPDX-License-Identifier: Apache-2.0
"""disent completion SHELL: prints what makes a shell complete commands, options and names."""

import argparse

SHELLS = ("bash", "zsh", "tcsh")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `completion` to the commands."""
    parser = commands.add_parser(
        "completion",
        help="print a script that makes your shell complete commands and options",
        description='Prints a completion script: eval "$(disent completion bash)"',
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the script, of all commands and of the options of `disent fit`."""
    import shtab

    from disent.cli.main import make_parser
    from disent.config.help import options_with_choices

    parser = make_parser()
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for option, choices in options_with_choices().items():
        commands.choices["fit"].add_argument(option, choices=choices or None)
    for action in (action for command in commands.choices.values() for action in command._actions):
        if str(action.metavar).startswith(("RUN", "FOLDER", "FILE")):
            action.complete = shtab.FILE if action.metavar.startswith("FILE") else shtab.DIRECTORY
    print(shtab.complete(parser, arguments.shell))
    return 0
