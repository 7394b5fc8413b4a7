import { z } from 'zod';
import { readSpecification, type Contract } from './contract.ts';
import type { MockRequest } from './mock-server.ts';

/** Meta describes its API for its SDKs: per kind of node, its edges with their parameters, and its fields. */
const nodeSpec = z.object({
  apis: z.array(
    z.object({
      method: z.string(),
      endpoint: z.string().optional(),
      return: z.string(),
      params: z.array(z.object({ name: z.string(), required: z.boolean(), type: z.string() })),
    }),
  ),
  fields: z.array(z.object({ name: z.string(), type: z.string() })),
});
type NodeSpec = z.infer<typeof nodeSpec>;
const enumSpecs = z.array(z.object({ name: z.string(), values: z.array(z.string()) }));

/** Parameters of every request, of which the specification does not speak. */
const COMMON = new Set(['fields', 'limit', 'after', 'appsecret_proof']);
const NODES = ['AdAccount', 'Page', 'IGUser', 'AdsInsights', 'InsightsResult', 'InstagramInsightsResult'];

/** @param nodeOf the kind of the node with an id: "Page"; null for what the specification does not have */
export async function metaContract(nodeOf: (id: string) => string | null): Promise<Contract | null> {
  const enumText = await readSpecification('meta/enum_types.subset.json');
  if (enumText === null) return null;
  const enums = new Map(enumSpecs.parse(JSON.parse(enumText)).map(({ name, values }) => [name, values]));
  const nodes = new Map<string, NodeSpec>();
  for (const name of NODES)
    nodes.set(name, nodeSpec.parse(JSON.parse((await readSpecification(`meta/${name}.json`)) ?? '')));

  /** The parameters of what is asked for, and the fields of what comes. */
  function lookUp({ path }: MockRequest) {
    const [, , id = '', edge] = path.split('/');
    const node = nodes.get(nodeOf(id) ?? '');
    const api = node?.apis.find((each) => each.method === 'GET' && each.endpoint === edge);
    if (!node || !api) return null;
    const target = edge === undefined ? node : nodes.get(api.return);
    return target ? { params: api.params, fields: target.fields, isList: edge !== undefined } : null;
  }

  return {
    problemsOfRequest(request) {
      const found = lookUp(request);
      if (!found) return [];
      const fields = request.query.get('fields')?.split(',') ?? [];
      const known = new Set(found.fields.map(({ name }) => name));
      const missing = found.params.filter(({ name, required }) => required && !request.query.has(name));
      return [
        ...fields.filter((name) => !known.has(name)).map((name) => `${request.path} has no field ${name}`),
        ...missing.map(({ name }) => `${request.path} needs ${name}`),
        ...[...request.query].flatMap(([name, value]) => problemOfParameter(found.params, name, value)),
      ];
    },
    problemsOfAnswer(request, { status = 200, json }) {
      const found = lookUp(request);
      if (!found || status >= 400) return [];
      const list = z.object({ data: z.array(z.record(z.string(), z.unknown())) }).safeParse(json).data?.data;
      const rows = found.isList ? (list ?? []) : [z.record(z.string(), z.unknown()).parse(json)];
      const types = new Map(found.fields.map(({ name, type }) => [name, type]));
      return rows.flatMap((row) =>
        Object.entries(row)
          .filter(([name, value]) => !fits(types.get(name), value))
          .map(
            ([name]) => `answer of ${request.path}: ${name} does not fit ${types.get(name) ?? 'anything'}`,
          ),
      );
    },
  };

  function problemOfParameter(
    params: NodeSpec['apis'][number]['params'],
    name: string,
    value: string,
  ): string[] {
    if (COMMON.has(name)) return [];
    const param = params.find((each) => each.name === name);
    if (!param) return [`there is no parameter ${name}`];
    const allowed = enums.get(param.type.replace(/^list<(.*)>$/, '$1'));
    const wrong = allowed ? value.split(',').filter((each) => !allowed.includes(each)) : [];
    return wrong.map((each) => `${name} cannot be ${each}`);
  }
}

function fits(type: string | undefined, value: unknown): boolean {
  if (type === undefined) return false;
  if (type === 'string') return typeof value === 'string';
  return type.startsWith('list<') ? Array.isArray(value) : true;
}
