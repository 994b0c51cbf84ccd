// Runs what the guide shows. In: HUB_URL. Out: a line of JSON on stdout.
import { gql } from "@apollo/client";
import { client as apollo } from "./apollo";
import { HubError } from "./ask";
import { names, whoHas } from "./customers";
import { listen } from "./listen";
import { client as urql } from "./urql";
import { watch } from "./watch";

const FIRST = "{ customers(first: 1) { edges { node { displayName } } } }";

async function refused(): Promise<string> {
  try {
    await whoHas("\0");
    return "answered";
  } catch (error) {
    return error instanceof HubError ? error.problem.extensions.code : String(error);
  }
}

async function main(): Promise<void> {
  const watched: string[] = [];
  const listened: string[] = [];
  await Promise.all([
    watch(({ riskFlagRaised }) => watched.push(riskFlagRaised.id) < 2),
    listen((message) => listened.push(message) < 2),
  ]);
  const byUrql = await urql.query(FIRST, {}).toPromise();
  const byApollo = await apollo.query({ query: gql(FIRST) });
  const said = {
    onePage: await names(1),
    allPages: await names(9),
    nobody: await whoHas("nobody@nowhere.example"),
    refused: await refused(),
    urql: byUrql.data ?? String(byUrql.error),
    apollo: byApollo.data ?? String(byApollo.error),
    watched: watched.length,
    listened: listened.length,
  };
  console.log(JSON.stringify(said));
}

void main();
