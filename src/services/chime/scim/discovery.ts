/** Features of the SCIM endpoint. Source: RFC 7643, sections 5 to 7; RFC 7644, section 4. */
import { notFoundError } from './scim-error.ts';
import { listOf, PAGE, SCHEMA, type ScimAnswer, type ScimRequest } from './scim-request.ts';

type Shape = Readonly<Record<string, unknown>>;

const attribute = (name: string, more: Shape = {}): Shape => ({
  name,
  type: 'string',
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});
const complex = (name: string, subAttributes: readonly Shape[], more: Shape = {}): Shape =>
  attribute(name, { type: 'complex', subAttributes, ...more });

const NAME = ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix'].map((name) => attribute(name));
const SCHEMAS: readonly (Shape & { readonly id: string })[] = [
  {
    id: SCHEMA.user,
    name: 'User',
    description: 'User of the account',
    attributes: [
      attribute('userName', { required: true, uniqueness: 'server' }),
      attribute('externalId', { caseExact: true }),
      attribute('displayName'),
      attribute('active', { type: 'boolean' }),
      complex('name', NAME),
      complex('emails', [attribute('value'), attribute('type'), attribute('primary', { type: 'boolean' })], { multiValued: true }),
      complex('groups', [attribute('value', { mutability: 'readOnly' }), attribute('display', { mutability: 'readOnly' })], {
        multiValued: true,
        mutability: 'readOnly',
      }),
    ],
  },
  {
    id: SCHEMA.group,
    name: 'Group',
    description: 'Group of users',
    attributes: [
      attribute('displayName', { required: true, caseExact: true, uniqueness: 'server' }),
      attribute('externalId', { caseExact: true }),
      complex('members', [attribute('value', { caseExact: true, mutability: 'immutable' })], { multiValued: true }),
    ],
  },
];

const TYPES = [
  { id: 'User', endpoint: '/Users', schema: SCHEMA.user },
  { id: 'Group', endpoint: '/Groups', schema: SCHEMA.group },
] as const;

const CONFIG: Shape = {
  schemas: [SCHEMA.config],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: PAGE.max },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [
    { type: 'oauthbearertoken', name: 'API key', description: 'Key of CreateApiKey in the header Authorization: Bearer', primary: true },
  ],
};

/** Returns the configuration of the endpoint, its resource types or its schemas. @throws ScimError  404 */
export function discovered({ path, url }: ScimRequest): ScimAnswer {
  const [kind, id] = path;
  const meta = (resourceType: string, location: string): Shape => ({ meta: { resourceType, location: `${url}/${location}` } });
  if (kind === 'ServiceProviderConfig' && id === undefined)
    return { status: 200, body: { ...CONFIG, ...meta('ServiceProviderConfig', 'ServiceProviderConfig') } };
  const all: readonly (Shape & { readonly id: string })[] =
    kind === 'Schemas'
      ? SCHEMAS.map((each) => ({ ...each, schemas: [SCHEMA.schema], ...meta('Schema', `Schemas/${each.id}`) }))
      : TYPES.map((each) => ({ ...each, name: each.id, schemas: [SCHEMA.type], ...meta('ResourceType', `ResourceTypes/${each.id}`) }));
  if (id === undefined) return listOf(all, all.length, { startIndex: 1 });
  const found = all.find((each) => each.id === id);
  if (found === undefined) throw notFoundError();
  return { status: 200, body: found };
}
