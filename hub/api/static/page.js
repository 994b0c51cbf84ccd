// GraphiQL over this server: queries and mutations by POST, subscriptions by server-sent events.
"use strict";

const firstQuery = `# Whom to call today, and why.
# Where the hub wants a key, open Headers below, write
# {"Authorization": "Bearer …"}
# and press the two arrows on the left.
{
  riskFlags(
    first: 5
    filter: { state: { eq: OPEN } }
    orderBy: [{ field: VALUE_AT_RISK, direction: DESC }]
  ) {
    totalCount
    edges {
      node {
        message
        severity
        valueAtRisk { amount currency }
        action { kind channel why }
        customer { id displayName stage { name } }
      }
    }
  }
}
`;

function ask(parameters, headers, accept) {
  return fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers, Accept: accept },
    body: JSON.stringify(parameters),
  });
}

async function* listen(parameters, headers) {
  const answer = await ask(parameters, headers, "text/event-stream");
  if (!answer.ok) {
    yield await answer.json();
    return;
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "", part; !(part = await reader.read()).done; ) {
    const events = (text + part.value).split(/\r?\n\r?\n/);
    text = events.pop();
    for (const event of events) {
      const data = event.split(/\r?\n/).find((line) => line.startsWith("data: "));
      if (event.startsWith("event: next") && data) yield JSON.parse(data.slice("data: ".length));
    }
  }
}

function isSubscription(document, name) {
  return (document?.definitions ?? []).some(
    (part) => part.operation === "subscription" && (!name || part.name?.value === name),
  );
}

function fetcher(parameters, options) {
  const headers = options?.headers ?? {};
  return isSubscription(options?.documentAST, parameters.operationName)
    ? listen(parameters, headers)
    : ask(parameters, headers, "application/json").then((answer) => answer.json());
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: firstQuery, shouldPersistHeaders: false }),
);
