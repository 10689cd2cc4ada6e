/** Checks a document against the subset of JSON Schema that `src/compliance/shape.ts` writes. It is independent of that file. */

type Schema = Readonly<Record<string, unknown>>;

/** Returns what is wrong with a document, with the path of each member. */
export function problemsOfShape(schema: Schema, value: unknown, path = '$'): readonly string[] {
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(value) ? [] : [`${path} is '${value}'`];
  switch (schema['type']) {
    case 'string': {
      const isTime = schema['format'] !== 'date-time' || !Number.isNaN(Date.parse(String(value)));
      return typeof value === 'string' && isTime ? [] : [`${path} is not a string of its format`];
    }
    case 'integer':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? [] : [`${path} is not a number`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is not a boolean`];
    case 'array':
      if (!Array.isArray(value)) return [`${path} is not a list`];
      return value.flatMap((each, i) => problemsOfShape(schema['items'] as Schema, each, `${path}[${i}]`));
    case 'object':
      return typeof value === 'object' && value !== null ? problemsOfObject(schema, value, path) : [`${path} is not an object`];
    default:
      return [`${path} has an unknown schema`];
  }
}

function problemsOfObject(schema: Schema, value: object, path: string): readonly string[] {
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = schema as {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
    readonly additionalProperties: boolean | Schema;
  };
  return [
    ...required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${path}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, each]) => {
      const own = properties[name] ?? additionalProperties;
      if (own === true) return [];
      return own === false ? [`${path}.${name} is unknown`] : problemsOfShape(own, each, `${path}.${name}`);
    }),
  ];
}
