"""What the marketplace remembers: importing this package knows every table."""

from models import (  # noqa: F401  (each import registers its tables with the metadata)
    audit,
    award,
    bid,
    contract,
    loan,
    need,
    organisation,
    product,
    reference,
    review,
    round,
    user,
    zone,
)
