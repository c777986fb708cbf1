"""The services that the stand-in knows."""
BEARER = {
    "id": "http-bearer", "name": "HTTP bearer token",
    "auth": [{"name": "bearer", "label": "Bearer token", "fields": [
        {"name": "token", "type": "string", "label": "Token", "secret": True, "required": True},
        {"name": "base_url", "type": "string", "label": "Base URL", "destination": True}]}]}
POSTGRES = {
    "id": "postgres", "name": "PostgreSQL",
    "auth": [{"name": "password", "label": "User and password", "fields": [
        {"name": "host", "type": "string", "label": "Host", "required": True, "destination": True},
        {"name": "port", "type": "integer", "label": "Port", "default": 5432},
        {"name": "user", "type": "string", "label": "User", "required": True},
        {"name": "password", "type": "string", "label": "Password", "secret": True, "required": True},
        {"name": "key", "type": "text", "label": "Client key", "secret": True},
        {"name": "options", "type": "list", "label": "Options"},
        {"name": "tls", "type": "boolean", "label": "TLS"}]}]}
HEADERS = {
    "id": "custom-headers", "name": "Custom headers",
    "auth": [{"name": "headers", "label": "Any headers", "fields": [
        {"name": "headers", "type": "map", "label": "Headers", "secret": True, "required": True}]}]}

CHAT = {
    "id": "chat", "name": "Chat",
    "auth": [
        {"name": "bot", "label": "Bot token", "fields": [
            {"name": "token", "type": "string", "label": "Token", "secret": True, "required": True}]},
        {"name": "oauth2", "label": "OAuth 2.0", "oauth": {"client_id": "client_id", "client_secret": "client_secret"},
         "fields": [
             {"name": "site", "type": "string", "label": "Site", "destination": True},
             {"name": "client_id", "type": "string", "label": "Client ID", "leased": False},
             {"name": "client_secret", "type": "string", "label": "Client secret", "secret": True, "leased": False},
             {"name": "seed", "type": "string", "label": "Seed", "secret": True}]}]}
MAIL = {
    "id": "mail", "name": "Mail",
    "auth": [{"name": "oauth2", "label": "OAuth 2.0", "oauth": {"client_id": "client_id"}, "fields": [
        {"name": "site", "type": "string", "label": "Site", "destination": True},
        {"name": "access_token", "type": "string", "label": "Token", "secret": True, "source": "tokens"},
        {"name": "token_type", "type": "string", "label": "Its type", "secret": True, "source": "tokens"}]}]}
CATALOG = (BEARER, POSTGRES, HEADERS, CHAT, MAIL)
