// graphql-http's audit of a server. In: its address. Out: one line of JSON an audit: id, name, status, reason.
import { auditServer } from "graphql-http";

for (const audit of await auditServer({ url: process.argv[2] })) {
  const { id, name, status, reason = "" } = audit;
  console.log(JSON.stringify({ id, name, status, reason: String(reason) }));
}
