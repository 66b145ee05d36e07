"""``sluice principal``: onboard a principal with YAML only, and give it a key for the store."""

from typing import Annotated

import typer

from sluice.cli.options import FLOW_FORM, writing_to
from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Ref, UsageError
from sluice.terms import FLOW_PATTERN, Flow
from sluice.times import brussels_today

app = typer.Typer(
    help="Principals: onboarding, and their keys for the store.",
    epilog="Example: sluice principal onboard energy02",
    no_args_is_help=True,
)


@app.callback()
def topic() -> None:
    """Principals: onboarding, and their keys for the store."""


@app.command("onboard")
def onboard(
    name: Annotated[str, typer.Argument(help="Code: lower-case letters, digits, hyphens; also its S3 prefix.")],
    flow: Annotated[str, typer.Option(help="Name of its first flow: small letters, digits, _ and -.")] = "some_flow",
    write: Annotated[
        bool, typer.Option("--write", help="Write the skeletons of a new principal; existing files stay.")
    ] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show a new principal's drop paths, least-privilege policy and YAML skeletons.

    Example: sluice principal onboard energy02 --flow leads --write
    """
    import json
    import re

    from sluice.agreement.folder.onboard import onboard as prepare
    from sluice.agreement.folder.onboard import write_files
    from sluice.settings import get_settings

    if not re.fullmatch(FLOW_PATTERN, flow):
        raise UsageError(Ref("option", "--flow"), Ref("takes", FLOW_FORM))
    settings = get_settings()
    today = brussels_today()
    made = prepare(name, settings.bucket_exchange, today, Flow(flow))
    with writing_to("--write"):
        written = write_files(made, settings.principals_dir) if write else ()
    files = [
        {
            "path": str(settings.principals_dir / skeleton.path),
            "written": str(settings.principals_dir / skeleton.path) in written,
            "text": skeleton.text,
        }
        for skeleton in made.files
    ]
    if format is Format.JSON:
        show_json({"principal": made.principal, "paths": made.paths, "policy": made.policy, "files": files})
        return
    show_table(f"Paths of {made.principal}", ("path",), [(path,) for path in made.paths])
    typer.echo(json.dumps(made.policy, indent=2))
    show_table("Files", ("path", ""), [(file["path"], _word(bool(file["written"]), write)) for file in files])
    if not write:
        for skeleton in made.files:
            typer.echo(f"\n# {skeleton.path}\n{skeleton.text}", nl=False)


@app.command("credential")
def credential(
    name: Annotated[str, typer.Argument(help="Code of a principal of this checkout.")],
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Revoke the key, so that it gives access to nothing any more.")
    ] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Print the S3 key of a principal for the embedded store, as lines for a shell; it opens only its own prefix.

    A principal with an agreement and no key gets one, without a restart; after --revoke it gets a new one.
    JSON: principal, endpoint, region, access_key, secret_key; with --revoke: principal, revoked.

    Example: eval "$(sluice principal credential energy01)"
    """
    from sluice.errors import ServiceMissing
    from sluice.services.seaweed import secret_path
    from sluice.services.stack import give_key, take_key
    from sluice.settings import get_settings

    settings = get_settings()
    if settings.s3_endpoint is None:
        raise ServiceMissing(Ref("service", "s3"))
    if revoke:
        take_key(settings, name)
        err.print("its key opens nothing any more", markup=False)
        if format is Format.JSON:
            show_json({"principal": name, "revoked": True})
        return
    is_new = not secret_path(settings.var, name).exists()
    key = give_key(settings, name)
    if is_new:
        err.print("a new key was made", markup=False)
    if format is Format.JSON:
        where = {"principal": name, "endpoint": settings.s3_endpoint, "region": settings.s3_region}
        show_json({**where, "access_key": key.access_key, "secret_key": key.secret_key})
        return
    typer.echo(f"export AWS_ENDPOINT_URL={settings.s3_endpoint} AWS_REGION={settings.s3_region}")
    typer.echo(f"export AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY={key.secret_key}")


def _word(written: bool, write: bool) -> str:
    if written:
        return "written"
    return "exists, left as it is" if write else "shown below; --write writes it"
