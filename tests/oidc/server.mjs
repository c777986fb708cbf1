// A real authorization server (oidc-provider) over TLS on loopback: code with PKCE, refresh rotation with reuse detection,
// device flow, client credentials, revocation, introspection, discovery.
//
// From the environment: OIDC_CERTIFICATE and OIDC_KEY (files), OIDC_LOG (a file: a line of JSON for each event), OIDC_PORT
// (default any), OIDC_REDIRECT_URI (of the web client), and lifetimes in seconds: OIDC_ACCESS_TOKEN_TTL, OIDC_REFRESH_TOKEN_TTL,
// OIDC_DEVICE_CODE_TTL. When it listens it prints a line of JSON: origin, clients. It ends when its standard input does.
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';
import { MemoryAdapter } from './memory_adapter.mjs';

console.info = console.error; // whoever started this reads one line of its standard output, and no more

const seconds = (name, usual) => Number(process.env[name] ?? usual);
const accessTokenTtl = seconds('OIDC_ACCESS_TOKEN_TTL', 3600);
const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';

const clients = {
  web: {
    client_id: 'broker-web', client_secret: 'web-secret-of-the-oidc-tests-9c1f', application_type: 'web',
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    redirect_uris: [process.env.OIDC_REDIRECT_URI ?? 'http://127.0.0.1:7466/oauth/callback'],
    token_endpoint_auth_method: 'client_secret_basic',
  },
  native: { // any port of loopback
    client_id: 'broker-native', application_type: 'native', token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', deviceCode], response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/oauth/callback'],
  },
  service: {
    client_id: 'broker-service', client_secret: 'service-secret-of-the-oidc-tests-4e', redirect_uris: [], response_types: [],
    grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post',
  },
};

const configuration = {
  adapter: MemoryAdapter,
  clients: Object.values(clients),
  scopes: ['openid', 'offline_access', 'profile', 'api:read', 'api:write'],
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  clockTolerance: 0, // a token of five seconds lives five seconds
  ttl: {
    AccessToken: accessTokenTtl, ClientCredentials: accessTokenTtl, RefreshToken: seconds('OIDC_REFRESH_TOKEN_TTL', 86400),
    AuthorizationCode: 60, IdToken: 60, DeviceCode: seconds('OIDC_DEVICE_CODE_TTL', 600), Grant: 86400, Session: 86400, Interaction: 600,
  },
  rotateRefreshToken: true, // always, and not only near the token's end
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: async () => false,
  cookies: { keys: ['for tests alone'] },
  features: {
    devInteractions: { enabled: true }, // forms in which any name signs in
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
    revocation: { enabled: true, allowedPolicy: async () => true },
    resourceIndicators: {
      enabled: true, defaultResource: () => undefined, useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => (
        { scope: 'api:read api:write', audience: resource, accessTokenTTL: accessTokenTtl, accessTokenFormat: 'opaque' }),
    },
  },
};

const events = ['authorization.success', 'authorization.error', 'grant.success', 'grant.error', 'grant.revoked', 'refresh_token.consumed',
  'revocation.error', 'server_error'];

function witness(provider) {
  for (const event of events) {
    provider.on(event, (ctx, error) => {
      const about = { event, time: Date.now() / 1000, client: ctx?.oidc?.client?.clientId, grant_type: ctx?.oidc?.params?.grant_type };
      if (error instanceof Error) about.error = error.error_detail ?? error.message;
      if (process.env.OIDC_LOG) appendFileSync(process.env.OIDC_LOG, `${JSON.stringify(about)}\n`);
    });
  }
}

const server = createServer({ cert: readFileSync(process.env.OIDC_CERTIFICATE), key: readFileSync(process.env.OIDC_KEY) });
server.listen(seconds('OIDC_PORT', 0), '127.0.0.1', () => {
  const origin = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(origin, configuration);
  witness(provider);
  server.on('request', provider.callback());
  process.stdout.write(`${JSON.stringify({ origin, clients })}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
