"""What the page's configuration says."""


def component_texts(config, kind):
    return [
        part["props"].get("value") or part["props"].get("label")
        for part in config["components"]
        if part["type"] == kind
    ]
