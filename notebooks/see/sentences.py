"""What a moment shows, said in words; only what is so."""


def sentences(server):
    """Those that hold for one of the `servers` of a moment."""
    zombies = server["counts"]["zombies"]
    found = []
    if zombies and server["running"] and not server["counts"]["reaped"]:
        found.append(f"The parent never waited for them: {zombies} children are zombies.")
    return found
