// Cuts out of GitHub's published API descriptions what ci-github uses, for its tests and its fake.
//
// To renew, or after adding a call or a query:
//
//   npm install --prefix DIR @octokit/openapi @octokit/graphql-schema graphql@16
//   node scripts/github-description.mjs DIR
//
// Written are the files of crates/ci-github/tests/description and of crates/ci-github/src/fake/examples.
// Nothing else reads the packages, and nobody needs them to build or to test.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const folder = process.argv[2];
if (!folder) throw new Error("say where the npm packages are installed");
const require = createRequire(path.resolve(folder, "package.json"));
const graphql = require("graphql");

const crate = path.resolve(import.meta.dirname, "../crates/ci-github");
const packaged = (name) => path.resolve(folder, "node_modules/@octokit", name);
const read = (file) => fs.readFileSync(file, "utf8");

const REPO = "/repos/{owner}/{repo}";
// Every REST call that ci-github makes.
const CALLS = [
  `GET ${REPO}`,
  `POST ${REPO}/check-runs`,
  `PATCH ${REPO}/check-runs/{check_run_id}`,
  `GET ${REPO}/collaborators/{username}/permission`,
  `GET ${REPO}/commits`,
  `GET ${REPO}/commits/{commit_sha}/comments`,
  `POST ${REPO}/commits/{commit_sha}/comments`,
  `GET ${REPO}/commits/{ref}/check-runs`,
  `GET ${REPO}/commits/{ref}/status`,
  `GET ${REPO}/git/matching-refs/{ref}`,
  `GET ${REPO}/hooks`,
  `GET ${REPO}/hooks/{hook_id}/deliveries`,
  `POST ${REPO}/hooks/{hook_id}/deliveries/{delivery_id}/attempts`,
  `GET ${REPO}/installation`,
  `GET ${REPO}/issues/comments`,
  `PATCH ${REPO}/issues/comments/{comment_id}`,
  `POST ${REPO}/issues/comments/{comment_id}/reactions`,
  `GET ${REPO}/issues/{issue_number}/comments`,
  `POST ${REPO}/issues/{issue_number}/comments`,
  `GET ${REPO}/pulls`,
  `POST ${REPO}/statuses/{sha}`,
  "GET /orgs/{org}/teams/{team_slug}/memberships/{username}",
  "GET /users/{username}",
  "GET /app",
  "GET /app/hook/config",
  "GET /app/hook/deliveries",
  "POST /app/hook/deliveries/{delivery_id}/attempts",
  "POST /app/installations/{installation_id}/access_tokens",
];
// What the fake answers is made of these examples.
const EXAMPLES = {
  app: "integration",
  "check-run": "check-run",
  "combined-status": "combined-commit-status",
  commit: "commit-items",
  "commit-comment": "commit-comment-items",
  hook: "hook-items",
  "hook-delivery": "hook-delivery-items",
  installation: "installation",
  "installation-token": "installation-token",
  "issue-comment": "issue-comment-items",
  permission: "repository-collaborator-permission-response-if-user-has-admin-permissions",
  pull: "pull-request-simple-items",
  reaction: "reaction",
  ref: "git-ref-items",
  repository: "full-repository-default-response",
  status: "status",
};

// What only people read.
const PROSE = new Set([
  "deprecated", "description", "example", "examples", "externalDocs", "operationId", "summary",
  "tags", "title", "x-github", "x-github-breaking-changes", "x-octokit",
]);

/** A copy of `node` without prose; what is called like prose in `properties` is a property. */
function bare(node, named = false) {
  if (Array.isArray(node)) return node.map((entry) => bare(entry));
  if (node === null || typeof node !== "object") return node;
  const kept = Object.entries(node).filter(([key]) => named || !PROSE.has(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value, key === "properties")]));
}

/** The description of the calls, with what it refers to; `keep` says what is left of each. */
function describe(whole, keep) {
  const cut = { openapi: whole.openapi, paths: {}, components: {} };
  const follow = (node) => {
    if (node === null || typeof node !== "object") return;
    if (typeof node.$ref === "string") add(node.$ref.split("/").slice(1));
    Object.values(node).forEach(follow);
  };
  const add = ([, kind, name]) => {
    const kinds = (cut.components[kind] ??= {});
    if (kinds[name]) return;
    kinds[name] = bare(whole.components[kind][name]);
    follow(kinds[name]);
  };
  for (const call of CALLS) {
    const [method, place] = call.split(" ");
    const found = whole.paths[place]?.[method.toLowerCase()];
    if (!found) throw new Error(`${call} is not described`);
    const kept = keep(bare(found));
    (cut.paths[place] ??= {})[method.toLowerCase()] = kept;
    follow(kept);
  }
  return cut;
}

/** JSON with a line for each entry of the first levels, so that a renewal can be read. */
function lines(value, levels = 3) {
  if (levels === 0 || Array.isArray(value) || value === null || typeof value !== "object") {
    return JSON.stringify(value);
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const lined = entries.map(([key, entry]) => `${JSON.stringify(key)}: ${lines(entry, levels - 1)}`);
  return `{\n${lined.join(",\n")}\n}`;
}

function write(file, text) {
  fs.mkdirSync(path.dirname(path.join(crate, file)), { recursive: true });
  fs.writeFileSync(path.join(crate, file), text.trimEnd() + "\n");
}

/** The part of the schema that the queries touch, found by walking them. */
function schemaOf(queries) {
  const text = read(path.join(packaged("graphql-schema"), "schema.graphql"));
  // Taken as it is: GitHub's has a field twice now and then.
  const schema = graphql.buildSchema(text, { assumeValid: true, assumeValidSDL: true });
  const types = new Map();
  const touch = (type) => {
    const named = graphql.getNamedType(type);
    if (graphql.isSpecifiedScalarType(named) || types.has(named)) return;
    types.set(named, new Set());
    if (graphql.isInputObjectType(named)) {
      Object.values(named.getFields()).forEach((field) => touch(field.type));
    }
  };
  const info = new graphql.TypeInfo(schema);
  for (const [name, text] of queries) {
    const query = graphql.parse(text);
    const errors = graphql.validate(schema, query);
    if (errors.length > 0) throw new Error(`${name}: ${errors.join("; ")}`);
    const enter = () => {
      const [parent, field] = [info.getParentType(), info.getFieldDef()];
      if (!field || field.name.startsWith("__")) return;
      [parent, field.type, ...field.args.map((arg) => arg.type)].forEach(touch);
      types.get(graphql.getNamedType(parent)).add(field.name);
    };
    graphql.visit(query, graphql.visitWithTypeInfo(info, { Field: { enter } }));
  }
  const sorted = [...types].sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  return sorted.map(([type, fields]) => printed(type, fields)).join("\n\n");
}

/** A type in the schema language, with only the fields that are used and without prose. */
function printed(type, fields) {
  const plain = (node) => ({
    ...node, description: undefined, interfaces: [], directives: [],
    fields: node.fields?.filter((field) => fields.size === 0 || fields.has(field.name.value)),
  });
  const prose = (node) => ({ ...node, description: undefined, directives: [] });
  const leaf = { enter: prose };
  const cut = graphql.visit(plain(type.astNode), {
    FieldDefinition: leaf, InputValueDefinition: leaf, EnumValueDefinition: leaf,
  });
  return graphql.print(cut);
}

const version = (name) => JSON.parse(read(path.join(packaged(name), "package.json"))).version;
const origin = ["openapi", "graphql-schema"].map((name) => `@octokit/${name} ${version(name)}`);

const generated = path.join(packaged("openapi"), "generated");
const described = (name) => JSON.parse(read(path.join(generated, `${name}.json`)));
const whole = described("api.github.com");
write("tests/description/rest.json", lines(describe(whole, (call) => call)));

// The oldest Enterprise Server that is still described: what we ask for must be known there.
const servers = fs.readdirSync(generated).filter((name) => /^ghes-[\d.]+\d\.json$/.test(name)).sort();
const oldest = servers[0].replace(".json", "");
const asked = ({ parameters, requestBody }) => ({ parameters, requestBody });
write("tests/description/enterprise.json", lines(describe(described(oldest), asked)));

const folderOfQueries = path.join(crate, "queries");
const query = (name) => read(path.join(folderOfQueries, `${name}.graphql`));
const fragments = query("review_page");
const queries = [
  ["viewer", query("viewer")],
  ["reviews", query("reviews") + fragments],
  ["pull", query("pull") + query("pull_fields") + fragments],
  ["branch", query("branch")],
  ["snapshot", query("snapshot") + query("pull_fields") + fragments],
];
write("tests/description/schema.graphql", schemaOf(queries));

for (const [name, example] of Object.entries(EXAMPLES)) {
  // An example or two are wrapped once more.
  const { value: outer } = whole.components.examples[example];
  const value = outer.value ?? outer;
  const one = Array.isArray(value) ? value[0] : value;
  write(`src/fake/examples/${name}.json`, JSON.stringify(one, null, 1));
}

console.log(`cut out of ${origin.join(" and ")}, and ${oldest}: say so in the NOTICE files`);
