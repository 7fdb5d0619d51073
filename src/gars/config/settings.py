"""Every setting of GARS, with its default and description. ``docs/settings.md`` lists the same ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
CoverMode = Literal["off", "ask", "proxy", "direct"]


def _setting(name: str, default: str, doc: str) -> dict[str, str]:
    return {"name": name, "default": default, "doc": doc}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings as values; ``from_environment`` makes them. ``{home}`` in a default is the value of GARS_HOME."""

    home: Path = field(
        metadata=_setting("GARS_HOME", "var", "Folder of everything GARS keeps: downloads, data, models, its database.")
    )
    mirror: Path | None = field(
        metadata=_setting(
            "GARS_MIRROR", "", "Folder to read the data sources from in place of the internet. Empty: the internet."
        )
    )
    licensed_only: bool = field(
        metadata=_setting(
            "GARS_LICENSED_ONLY",
            "off",
            "on: `gars data build` and `gars demo` leave out sources whose publisher states no licence.",
        )
    )
    host: str = field(metadata=_setting("GARS_HOST", "127.0.0.1", "Address the service listens on."))
    port: int = field(metadata=_setting("GARS_PORT", "8000", "Port the service listens on; 0 takes a free one."))
    service_token: str = field(
        repr=False,
        metadata=_setting(
            "GARS_SERVICE_TOKEN",
            "",
            "Secret of at least 16 characters. With it every route about a user needs this token or the user's own; "
            "without it the service listens on this machine only.",
        ),
    )
    admin_token: str = field(
        repr=False,
        metadata=_setting(
            "GARS_ADMIN_TOKEN", "", "Secret of at least 16 characters that opens `/api/v1/admin` and `/metrics`."
        ),
    )
    rate_per_s: int = field(
        metadata=_setting(
            "GARS_RATE_PER_S",
            "100",
            "Requests a second that each user token, or each other machine, may send; more get 429. 0: no limit.",
        )
    )
    rate_burst: int = field(metadata=_setting("GARS_RATE_BURST", "200", "How many of them may come at once."))
    allowed_hosts: str = field(
        metadata=_setting(
            "GARS_ALLOWED_HOSTS",
            "",
            "Names the service answers to besides loopback ones, such as `gars.example.org,*.lan`; with `:PORT` only "
            "pages of that port may call it. Empty: loopback names and GARS_HOST, or any name where GARS_SERVICE_TOKEN "
            "is set.",
        )
    )
    trusted_proxies: str = field(
        metadata=_setting(
            "GARS_TRUSTED_PROXIES",
            "127.0.0.1,::1",
            "Addresses and networks of proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id` are "
            "believed.",
        )
    )
    max_connections: int = field(
        metadata=_setting(
            "GARS_MAX_CONNECTIONS",
            "4096",
            "Connections open at once; others wait until one ends. Fewer where the limit of open files is lower.",
        )
    )
    max_streams: int = field(
        metadata=_setting(
            "GARS_MAX_STREAMS",
            "0",
            "Event streams open at once; more get 503 with Retry-After. 0: half of GARS_MAX_CONNECTIONS.",
        )
    )
    max_streams_each: int = field(
        metadata=_setting(
            "GARS_MAX_STREAMS_EACH",
            "200",
            "How many of them may be of one client address; more get 503 with Retry-After. 0: no limit.",
        )
    )
    header_timeout_ms: int = field(
        metadata=_setting(
            "GARS_HEADER_TIMEOUT_MS",
            "10000",
            "How long a connection may take to send the header of a request, from its start or from the answer before.",
        )
    )
    body_timeout_ms: int = field(
        metadata=_setting(
            "GARS_BODY_TIMEOUT_MS",
            "10000",
            "Longest pause in a request body, and the time for all of it, plus a second for each 16 kB. Then 408.",
        )
    )
    queue_budget_ms: int = field(
        metadata=_setting(
            "GARS_QUEUE_BUDGET_MS",
            "500",
            "How long a request may wait for a thread; one that would wait longer, by the length of the queue and what "
            "the latest requests took, gets 503 with Retry-After. 0: no limit.",
        )
    )
    stop_timeout_ms: int = field(
        metadata=_setting(
            "GARS_STOP_TIMEOUT_MS",
            "5000",
            "How long requests under way may take to finish after a signal to stop.",
        )
    )
    event_log: str = field(
        metadata=_setting(
            "GARS_EVENT_LOG",
            "sqlite:{home}/gars.sqlite",
            "Where interactions are kept: `sqlite:PATH`, or `kafka://HOST:PORT/PREFIX`, from where a feature job "
            "brings them into the states (docs/reference/cluster/flink.md); "
            "`?replication=N` is the brokers each record is on.",
        )
    )
    log_days: int = field(
        metadata=_setting(
            "GARS_LOG_DAYS",
            "30",
            "Days that Kafka keeps events and shown lists, and so what deleted users did; GARS_HISTORY has older ones. "
            "Changed by the next `gars stack up`. 0: for ever.",
        )
    )
    state_store: str = field(
        repr=False,
        metadata=_setting(
            "GARS_STATE_STORE",
            "sqlite:{home}/gars.sqlite",
            "Where user states are kept: `sqlite:PATH`; it may be the file of the event log. Or "
            "`redis://HOST:PORT/0`, `redis-cluster://HOST:PORT`.",
        ),
    )
    state_days: int = field(
        metadata=_setting(
            "GARS_STATE_DAYS",
            "0",
            "After how many days without an event Redis drops a user's state, until their next one; 0: never.",
        )
    )
    history: str = field(
        repr=False,
        metadata=_setting(
            "GARS_HISTORY",
            "",
            "Where one user's events are found, when the event log is Kafka: `cassandra://HOST:PORT/KEYSPACE`. "
            "Empty: in the event log itself.",
        ),
    )
    history_days: int = field(
        metadata=_setting("GARS_HISTORY_DAYS", "0", "How long Cassandra keeps an event; 0: for ever.")
    )
    tombstones: str = field(
        repr=False,
        metadata=_setting(
            "GARS_TOMBSTONES",
            "sqlite:{home}/forgotten.sqlite",
            "Where hashes of deleted users are kept: `sqlite:PATH`, `cassandra://…` or `redis://…`. A store of its "
            "own, and not to be put back from an older copy: it keeps deleted users deleted.",
        ),
    )
    tombstone_key: Path | None = field(
        metadata=_setting(
            "GARS_TOMBSTONE_KEY",
            "",
            "File with the key that names of tombstones in Redis are made with; made at the first start, and the same "
            "in every process of an installation. Empty: the key is kept in Redis.",
        )
    )
    impressions: str = field(
        repr=False,
        metadata=_setting(
            "GARS_IMPRESSIONS",
            "sqlite:{home}/impressions.sqlite",
            "Where the lists that were shown are kept, for training: `sqlite:PATH`, `cassandra://…`, or `kafka://…` "
            "from where `gars worker history` brings them to GARS_HISTORY.",
        ),
    )
    impression_sample: float = field(
        metadata=_setting("GARS_IMPRESSION_SAMPLE", "1", "Share of the lists that is kept: 1 all, 0 none.")
    )
    impression_days: int = field(
        metadata=_setting("GARS_IMPRESSION_DAYS", "90", "How long they are kept; a run deletes a day's at most.")
    )
    impression_bytes: int = field(
        metadata=_setting(
            "GARS_IMPRESSION_BYTES",
            "20000000000",
            "How large their SQLite file may get: beyond it the oldest go, once an hour. A list of 20 takes 1,500 "
            "bytes. 0: as large as it gets.",
        )
    )
    experiment: Path | None = field(
        metadata=_setting("GARS_EXPERIMENT", "", "JSON file of an A/B test (docs/how-to/experiment.md). Empty: none.")
    )
    explore: float = field(
        metadata=_setting(
            "GARS_EXPLORE",
            "0",
            "Share of the lists in which one place goes to a title from further down, with known probability.",
        )
    )
    change_feed: str = field(
        repr=False,
        metadata=_setting(
            "GARS_CHANGE_FEED",
            "memory:",
            "How pages hear of changes: `memory:`, inside the process, or `redis://HOST:PORT/0`, from any.",
        ),
    )
    recall: str = field(
        metadata=_setting(
            "GARS_RECALL",
            "",
            "Where `gars serve recall` makes the candidates of lists: `http://HOST:PORT`, several with commas. Empty: "
            "in this process.",
        )
    )
    rank: str = field(
        metadata=_setting(
            "GARS_RANK",
            "",
            "Where `gars serve rank` puts them in order: `http://HOST:PORT`, several with commas. Empty: in this "
            "process. While one of the two is away at all its addresses, the next best list is given.",
        )
    )
    state_cache: int = field(
        metadata=_setting(
            "GARS_STATE_CACHE",
            "5000",
            "User states kept decoded in memory, 25 kB each at 85 titles, and changed ones that wait for the disk at "
            "most; with Redis what is served while it is away.",
        )
    )
    list_cache: int = field(
        metadata=_setting("GARS_LIST_CACHE", "1000", "Users whose lists are kept until a click changes them; 0: none.")
    )
    busy_timeout_ms: int = field(
        metadata=_setting(
            "GARS_BUSY_TIMEOUT_MS", "5000", "How long a write waits for a locked database before it fails."
        )
    )
    max_body_bytes: int = field(
        metadata=_setting("GARS_MAX_BODY_BYTES", "1000000", "Largest request body taken; larger ones get 413.")
    )
    max_list_bytes: int = field(
        metadata=_setting("GARS_MAX_LIST_BYTES", "16000000", "Largest personal list taken, packed or unpacked.")
    )
    fetch_lists: bool = field(
        metadata=_setting(
            "GARS_FETCH_LISTS",
            "off",
            "on: users may have their list fetched from AniList or MyAnimeList by name. Off: the service asks no other "
            "site for anything. Where it is not set, `gars serve` and `gars demo` without GARS_SERVICE_TOKEN switch it "
            "on: they listen on this machine alone.",
        )
    )
    mal_client_id: str = field(
        repr=False,
        metadata=_setting("GARS_MAL_CLIENT_ID", "", "Client id for MyAnimeList's API, to fetch lists there. A secret."),
    )
    anilist_url: str = field(
        metadata=_setting("GARS_ANILIST_URL", "https://graphql.anilist.co", "Where AniList answers.")
    )
    anilist_client_id: str = field(
        metadata=_setting(
            "GARS_ANILIST_CLIENT_ID",
            "",
            "Client id at AniList with which readers may sign in there on the page; its redirect URL is that of the "
            "page with `/anilist`. The token stays in the browser, which then writes status and scores to AniList. "
            "Empty: no sign-in.",
        )
    )
    anilist_authorize_url: str = field(
        metadata=_setting(
            "GARS_ANILIST_AUTHORIZE_URL",
            "https://anilist.co/api/v2/oauth/authorize",
            "Where readers sign in at AniList.",
        )
    )
    mal_url: str = field(
        metadata=_setting("GARS_MAL_URL", "https://api.myanimelist.net/v2", "Where MyAnimeList's API answers.")
    )
    covers: CoverMode = field(
        metadata=_setting(
            "GARS_COVERS",
            "off",
            "Cover images on the page. off: drawn covers only. proxy: this service fetches the images that the "
            "catalogue names, checks them and keeps thumbnails in GARS_HOME/covers; no other site sees the readers. "
            "ask: the same, after the reader agreed on the page. direct: browsers load them from GARS_COVER_HOSTS. "
            "Where it is not set, `gars serve` and `gars demo` without GARS_SERVICE_TOKEN take ask.",
        )
    )
    cover_hosts: str = field(
        metadata=_setting(
            "GARS_COVER_HOSTS",
            "cdn.myanimelist.net,s4.anilist.co,media.kitsu.app",
            "Hosts that cover images may come from, by https unless an entry names the scheme. Private addresses are "
            "refused unless the entry is the address itself.",
        )
    )
    cover_bytes: int = field(
        metadata=_setting(
            "GARS_COVER_BYTES",
            "500000000",
            "How large GARS_HOME/covers may get; beyond it the covers that were used longest ago go.",
        )
    )
    threads: int = field(
        metadata=_setting(
            "GARS_THREADS",
            "0",
            "Threads that run the models for requests. 0: 1, or three for each of GARS_PROCESSES and one more, or 8 "
            "where states or stages are in other processes.",
        )
    )
    processes: int = field(
        metadata=_setting(
            "GARS_PROCESSES",
            "0",
            "Processes that make lists for the service, each on a core of its own with the model in its own "
            "memory. For many users, one for each core. 0: the service makes them itself.",
        )
    )
    rank_budget_ms: int = field(
        metadata=_setting(
            "GARS_RANK_BUDGET_MS",
            "1000",
            "Longest wait for the ranked list before the next best one is given; 0 waits as long as it takes. The same "
            "for the three below.",
        )
    )
    retrieval_budget_ms: int = field(
        metadata=_setting("GARS_RETRIEVAL_BUDGET_MS", "500", "Longest wait for the list in retrieval's order.")
    )
    similar_budget_ms: int = field(
        metadata=_setting("GARS_SIMILAR_BUDGET_MS", "250", "Longest wait for the list by content.")
    )
    trending_budget_ms: int = field(
        metadata=_setting(
            "GARS_TRENDING_BUDGET_MS", "250", "Longest wait for the trending list; the popular one is last."
        )
    )
    model_check_ms: int = field(
        metadata=_setting(
            "GARS_MODEL_CHECK_MS",
            "1000",
            "How often a running service looks whether another model was promoted; 0: only on SIGHUP.",
        )
    )
    ping_ms: int = field(
        metadata=_setting("GARS_PING_MS", "15000", "Pause between the comments that keep an event stream open.")
    )
    spider_site: str = field(
        metadata=_setting(
            "GARS_SPIDER_SITE", "https://myanimelist.net", "Site the spiders `anime`, `season`, `top`, `lists` ask."
        )
    )
    spider_api: str = field(
        metadata=_setting(
            "GARS_SPIDER_API", "https://api.jikan.moe/v4", "Jikan API, version 4, the spider `jikan` asks."
        )
    )
    spider_delay_ms: int = field(
        metadata=_setting(
            "GARS_SPIDER_DELAY_MS", "2000", "Pause between two requests of a spider; below 2000 only for this machine."
        )
    )
    spider_contact: str = field(
        metadata=_setting(
            "GARS_SPIDER_CONTACT",
            "",
            "Mail or page where the site can reach you: part of the spider's User-Agent, and required.",
        )
    )
    engines: Path = field(
        metadata=_setting(
            "GARS_ENGINES",
            "~/.cache/gars/engines",
            "Folder of what `gars stack` installs: jars and virtual environments of engines.",
        )
    )
    log_level: LogLevel = field(
        metadata=_setting(
            "GARS_LOG_LEVEL", "warning", "debug, info, warning or error. info has a line for each request."
        )
    )
    log_format: LogFormat = field(
        metadata=_setting("GARS_LOG_FORMAT", "text", "text: to be read in a terminal; json: an object a line.")
    )
    log_users: bool = field(
        metadata=_setting(
            "GARS_LOG_USERS", "off", "on: lines about a request name its user. Off: no user id is logged."
        )
    )

    traces: str = field(
        metadata=_setting(
            "GARS_TRACES",
            "",
            "Collector that spans are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`; needs the extra "
            "`trace` (docs/how-to/trace-requests.md). Empty: no traces.",
        )
    )
    trace_share: float = field(
        metadata=_setting(
            "GARS_TRACE_SHARE",
            "1",
            "Share of the traces that are recorded, of those that begin here; a trace that another process began is "
            "recorded if it is there.",
        )
    )

    @property
    def models(self) -> Path:
        """Folder of the model artefacts; ``current`` in it is the one served."""
        return self.home / "models"

    @property
    def datasets(self) -> Path:
        """Folder of the data sets in the normal form."""
        return self.home / "data"
