"""The page's configuration."""


def component_texts(config, kind):
    """Return the value or else the label of every component of this kind."""
    return [
        component["props"].get("value") or component["props"].get("label")
        for component in config["components"]
        if component["type"] == kind
    ]
