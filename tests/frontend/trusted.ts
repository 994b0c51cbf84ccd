// Asks by the ids of registered documents. In: HUB_URL. Out: a line of JSON on stdout.
import { fetchQuery } from "relay-runtime";
import query, { type TimelineQuery } from "./__generated__/TimelineQuery.graphql";
import { url } from "./ask";
import { CustomersDocument } from "./graphql/graphql";
import { environment } from "./relay";

async function post(body: object): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return response.json();
}

async function main(): Promise<void> {
  const relay = await fetchQuery<TimelineQuery>(environment, query, { id: "cus_0001" }).toPromise();
  const generated = await post({ documentId: CustomersDocument.__meta__?.hash, variables: { after: null } });
  const unknown = await post({ documentId: "0".repeat(64) });
  const untrusted = await post({ query: "{ customers { totalCount } }" });
  console.log(JSON.stringify({ relay, generated, unknown, untrusted }));
}

void main();
