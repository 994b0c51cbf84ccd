// PostGraphile 5 over the hub's own tables. In: DATABASE_URL, PORT. Out: GraphQL at /graphql on loopback.
// The tables have no foreign keys, so smart tags say how they belong together.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeJSONPgSmartTagsPlugin } from "postgraphile/utils";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const belongs = (name) => ({
  tags: { foreignKey: `(customer_no) references customer_card (customer_no)|@foreignFieldName ${name}` },
});
const tags = makeJSONPgSmartTagsPlugin({
  version: 1,
  config: {
    class: {
      customer_card: { tags: { unique: "public_id|@fieldName customerByPublicId" } },
      interaction: belongs("timeline"),
      risk_flag: belongs("riskFlags"),
      profitability: belongs("profitabilities"),
    },
  },
});
const preset = {
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  plugins: [tags],
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", watch: false, graphiql: false },
  grafast: { explain: false },
};
const served = postgraphile(preset).createServ(grafserv);
const server = createServer();
server.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await served.addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
