"""The contract that third parties import, and how plugins are found.

A plugin is a module named by an entry point of the group ``cadran``; all that it needs is imported from here.
"""

from cadran.calendar import parse_duration
from cadran.plugins.connector import (
    API,
    ArrowStream,
    Column,
    ConfigError,
    Connector,
    ConnectorEntry,
    ConnectorError,
    Context,
    DataError,
    End,
    InPlace,
    Page,
    Part,
    QueryableConnector,
    QueryRefused,
    Rejected,
    Relation,
    Table,
)
from cadran.plugins.hookspecs import hookimpl
from cadran.plugins.notifier import (
    Deferred,
    Document,
    Message,
    Notifier,
    NotifierContext,
    NotifierEntry,
    NotifierError,
    Picture,
    Unknown,
)
from cadran.plugins.writing import is_file_name, write_whole
from cadran.problems import listed, suggest

__all__ = [
    "API",
    "ArrowStream",
    "Column",
    "ConfigError",
    "Connector",
    "ConnectorEntry",
    "ConnectorError",
    "Context",
    "DataError",
    "Deferred",
    "Document",
    "End",
    "InPlace",
    "Message",
    "Notifier",
    "NotifierContext",
    "NotifierEntry",
    "NotifierError",
    "Page",
    "Part",
    "Picture",
    "QueryRefused",
    "QueryableConnector",
    "Rejected",
    "Relation",
    "Table",
    "Unknown",
    "hookimpl",
    "is_file_name",
    "listed",
    "parse_duration",
    "suggest",
    "write_whole",
]
