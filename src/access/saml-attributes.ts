import { conditionKey } from '#model/authorization.ts';

/**
 * Attributes that set condition keys.
 *
 * Source: IAM User Guide, "Configure SAML assertions for the authentication response", "Mapping SAML attributes to AWS trust policy context
 * keys".
 * The guide prints three X.500 numbers with a wrong or missing part. The printed and the correct numbers are accepted.
 * Assumed: (1) X.500 attributes can also have names with `urn:oid:`, because identity providers send such names; (2)
 * primarygroupsid sets `saml:primarygroupsid`, although the guide maps it to `uid`.
 */
// biome-ignore format: a table
const ATTRIBUTE_KEYS: Readonly<Record<string, string>> = {
  // eduPerson and eduOrg
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.1':  'saml:edupersonaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.2':  'saml:edupersonnickname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.3':  'saml:edupersonorgdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.4':  'saml:edupersonorgunitdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.5':  'saml:edupersonprimaryaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.6':  'saml:edupersonprincipalname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.7':  'saml:edupersonentitlement',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.8':  'saml:edupersonprimaryorgunitdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.9':  'saml:edupersonscopedaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.10': 'saml:edupersontargetedid',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.11': 'saml:edupersonassurance',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.2':  'saml:eduorghomepageuri',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.3':  'saml:eduorgidentityauthnpolicyuri',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.4':  'saml:eduorglegalname',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.5':  'saml:eduorgsuperioruri',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.6':  'saml:eduorgwhitepagesuri',
  'urn:oid:2.5.4.3':                   'saml:cn',
  // Active Directory
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name':           'saml:name',
  'http://schemas.xmlsoap.org/claims/CommonName':                         'saml:commonname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname':      'saml:givenname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname':        'saml:surname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress':   'saml:mail',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid': 'saml:primarygroupsid',
  // X.500
  '2.5.4.3':                            'saml:commonname',
  '2.5.4.4':                            'saml:surname',
  '2.5.4.42':                           'saml:givenname',
  '2.4.5.42':                           'saml:givenname',
  '2.5.4.45':                           'saml:x500uniqueidentifier',
  '0.9.2342.19200300.100.1.1':          'saml:uid',
  '0.9.2342.19200300.100.1.3':          'saml:mail',
  '0.9.2342.19200300100.1.1':           'saml:uid',
  '0.9.2342.19200300100.1.3':           'saml:mail',
  '0.9.2342.19200300.100.1.45':         'saml:organizationstatus',
  'urn:oid:2.5.4.4':                    'saml:surname',
  'urn:oid:2.5.4.42':                   'saml:givenname',
  'urn:oid:2.5.4.45':                   'saml:x500uniqueidentifier',
  'urn:oid:0.9.2342.19200300.100.1.1':  'saml:uid',
  'urn:oid:0.9.2342.19200300.100.1.3':  'saml:mail',
  'urn:oid:0.9.2342.19200300.100.1.45': 'saml:organizationstatus',
};

/**
 * Returns the condition keys that the attributes of an assertion set. If several attributes set one key, their values
 * are combined.
 *
 * If the authorization reference lists a key as single-valued, and the assertion has one value for the key, the result
 * is a single value and not a list. Policy variables and operators for single values can read only such keys.
 */
export function attributeKeys(attributes: ReadonlyMap<string, readonly string[]>): readonly [string, string | readonly string[]][] {
  const byKey = new Map<string, readonly string[]>();
  for (const [name, values] of attributes) {
    const key = Object.hasOwn(ATTRIBUTE_KEYS, name) ? (ATTRIBUTE_KEYS[name] as string) : undefined;
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), ...values]);
  }
  return [...byKey].map(([key, values]) => {
    const [value, ...more] = values;
    return [key, value !== undefined && more.length === 0 && conditionKey(key)?.multivalued === false ? value : values];
  });
}
