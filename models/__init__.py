"""What the marketplace remembers: importing this package knows every table."""

from models import (  # noqa: F401  (each import registers its tables with the metadata)
    alert,
    audit,
    award,
    bid,
    contract,
    financing,
    import_job,
    loan,
    need,
    organisation,
    payment,
    procurement,
    product,
    reference,
    review,
    round,
    user,
    zone,
)
