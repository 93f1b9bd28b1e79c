"""The bundled connectors: ordinary plugins, importing nothing of cadran but ``cadran.plugins``."""
