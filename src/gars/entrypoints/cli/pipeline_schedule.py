"""Examples for the schedulers that every machine has: cron and systemd."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from gars.domain.errors import InvalidInputError

_CRON = {"daily": "17 3 * * *", "weekly": "17 3 * * 1"}
_CALENDAR = {"daily": "*-*-* 03:17", "weekly": "Mon *-*-* 03:17"}


def examples(every: str, *, options: str, home: Path) -> str:
    """A crontab and units for systemd. Raises ``InvalidInputError`` for another rhythm than daily or weekly."""
    if every not in _CRON:
        raise InvalidInputError(f"--every {every!r} is not known", hint=f"choose {' or '.join(_CRON)}")
    command = shutil.which("gars", path=str(Path(sys.executable).parent)) or "gars"
    folder = home.resolve()
    run = " ".join(filter(None, [command, "pipeline", "run", options.strip()]))
    watch = f"{command} pipeline watch"
    return f"""\
# --- crontab -e ---------------------------------------------------------------
GARS_HOME={folder}
{_CRON[every]}  nice -n 10 {run} >> {folder}/pipeline.log 2>&1
*/30 * * * *  {watch} >> {folder}/pipeline.log 2>&1

# --- ~/.config/systemd/user/gars-pipeline.service -----------------------------
[Unit]
Description=GARS: retrain on fresh data

[Service]
Type=oneshot
Environment=GARS_HOME={folder}
Nice=10
ExecStart={run}

# --- ~/.config/systemd/user/gars-pipeline.timer -------------------------------
[Unit]
Description=GARS: when to retrain

[Timer]
OnCalendar={_CALENDAR[every]}
Persistent=true

[Install]
WantedBy=timers.target

# --- ~/.config/systemd/user/gars-watch.service --------------------------------
[Unit]
Description=GARS: look at what came of the last promotion

[Service]
Type=oneshot
Environment=GARS_HOME={folder}
ExecStart={watch}

# --- ~/.config/systemd/user/gars-watch.timer ----------------------------------
[Unit]
Description=GARS: how often to look

[Timer]
OnCalendar=*:0/30

[Install]
WantedBy=timers.target

# then: systemctl --user daemon-reload && systemctl --user enable --now gars-pipeline.timer gars-watch.timer
"""
