// The client that samples in JavaScript take for granted; it hands out what lies in the envelope.

async function ask(method, path, body) {
  const answer = await fetch(`${process.env.CATCHMENT_URL}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${process.env.CATCHMENT_TOKEN}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const { data, error } = await answer.json();
  if (error) throw new Error(error.message);
  return data;
}

export const client = {
  connectors: {
    create: (values) => ask("POST", "/connectors", values),
    sync: (id, options) => ask("POST", `/connectors/${id}/sync`, options),
  },
};
