"""The page's configuration."""

from serving.page.languages import unmarked


def in_english(config):
    """Return the configuration with the English texts in place of what the browser translates."""
    for component in config["components"]:
        texts = {name: unmarked(value) for name, value in component["props"].items() if isinstance(value, str)}
        component["props"] |= texts
    return config


def component_texts(config, kind):
    """Return the value or else the label of every component of this kind."""
    return [
        component["props"].get("value") or component["props"].get("label")
        for component in in_english(config)["components"]
        if component["type"] == kind
    ]
