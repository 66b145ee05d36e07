"""The center and one principal of it, for messages that are to be opened."""

from pysequoia import Tsk

from sluice.lake.read.pgp_in import PgpKeys

CENTER, SENDER = Tsk.generate("center@x.example"), Tsk.generate("sender@x.example")
CERTIFICATE = SENDER.extract_certificate()
KEYS = PgpKeys(str(CENTER), str(CERTIFICATE), CERTIFICATE.fingerprint)
