// A university's sign-in: its own pages for login and consent, people from a table.
// Arguments: the package's folder, and a JSON of port, keys, clients and people.
import { pathToFileURL } from "node:url";

const [folder, text] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${folder}/lib/index.js`).href);
const given = JSON.parse(text);

const provider = new Provider(`http://127.0.0.1:${given.port}`, {
  clients: given.clients,
  jwks: { keys: given.keys },
  cookies: { keys: ["of a test"] },
  pkce: { required: () => true },
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["preferred_username", "student_number"],
  },
  conformIdTokenClaims: given.conform ?? true,
  responseTypes: ["code"],
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(given.people[id] ?? {}) }),
  }),
});
provider.listen(given.port, "127.0.0.1", () => console.log("ready"));
