"""OpenTelemetry: records spans and sends them to a collector. Needs the extra ``trace``."""
