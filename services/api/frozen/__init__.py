"""A competition as one archive that needs no server: a site of plain files, its data, and what proves them."""
