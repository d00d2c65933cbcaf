"""A stateful stand-in of Bitrix24: portals, their authorization host and an SMS gateway, over the wire."""
