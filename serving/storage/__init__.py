"""The database; knows neither page nor API."""
