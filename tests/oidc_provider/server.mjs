// An OpenID provider with one client, for the interoperability test: prints its issuer, ends with its standard input.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [modules, callback, secret] = process.argv.slice(2);
const { default: Provider } = await import(createRequire(`${modules}/`).resolve("oidc-provider"));
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "dataspace-node", client_secret: secret, redirect_uris: [callback] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { methods: ["S256"], required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, email: sub, email_verified: true }) }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
