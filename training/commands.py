"""How the command line reads what it is given."""

from typing import Any

import typer
from typer.core import TyperCommand

from keras_gans.errors import UserError

# An empty text is one to draw a picture of.
_MAY_BE_EMPTY = ("--text", "--from-text", "--to-text")


class Command(TyperCommand):
    """A command that takes no empty argument where it needs a name or a place, which a shell's unset variable leaves.

    Of a path nothing could be told any more: the empty one is the folder that one is in.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """As Click, with a `UserError` for an empty value of an argument, or of an option but those of texts."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            value = given.get(parameter.name)
            values = value if isinstance(value, list | tuple) else (value,)
            if "" in values and not set(parameter.opts) & set(_MAY_BE_EMPTY):
                is_option = parameter.param_type_name == "option"
                what = parameter.opts[0] if is_option else parameter.name.upper()
                raise UserError(f"{what} is empty. Received: ''. {ctx.command_path} --help says what it takes.")
        return super().parse_args(ctx, args)


class App(typer.Typer):
    """A `typer.Typer` whose commands are `Command`s."""

    def command(self, *args: Any, **options: Any) -> Any:
        return super().command(*args, cls=Command, **options)
