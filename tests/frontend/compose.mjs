// Composes subgraphs. In: files, each NAME.graphql. Out: the supergraph on stdout, or the reasons why there is none.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const services = process.argv.slice(2).map((file) => ({
  name: basename(file, ".graphql"),
  url: `http://${basename(file, ".graphql")}.example/graphql`,
  typeDefs: parse(readFileSync(file, "utf8")),
}));
const { errors, supergraphSdl } = composeServices(services);
for (const error of errors ?? []) console.error(error.message);
process.stdout.write(supergraphSdl ?? "");
process.exitCode = supergraphSdl ? 0 : 1;
