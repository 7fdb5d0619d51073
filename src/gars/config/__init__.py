"""Every setting of GARS, read once from the environment."""

from gars.config.environment import documentation, from_environment
from gars.config.settings import LogFormat, LogLevel, Settings

__all__ = ["LogFormat", "LogLevel", "Settings", "documentation", "from_environment"]
