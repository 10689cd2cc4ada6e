/** Distinct type for strings or numbers with a meaning, such as `Arn`. Only the parser or constructor of the type creates its values. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
