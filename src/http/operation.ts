/**
 * The types of an operation, derived from the generated types of its contract (contracts/types). Each API makes its handlers' type of
 * them: `Operation<'getOverview'>`.
 *
 * They hold at run time because the router checks each call against the same contract before its handler runs.
 */

/** An entry of the generated `operations`. */
export type OperationTypes = {
  parameters: { path?: unknown; query?: unknown; header?: unknown };
  requestBody?: unknown;
  responses: object;
};

export type PathOf<Types extends OperationTypes> = MembersOf<Types['parameters']['path']>;

/** Query parameters with a default are always present: the check fills them in. */
export type QueryOf<Types extends OperationTypes, Default = never> =
  MembersOf<Types['parameters']['query']> extends infer Query
    ? Query & { [Name in keyof Query as Name extends Default ? Name : never]-?: Query[Name] }
    : never;

/** Headers have lower-case names, as Node has them. */
export type HeadersOf<Types extends OperationTypes> =
  MembersOf<Types['parameters']['header']> extends infer Headers
    ? { [Name in keyof Headers as Lowercase<Name & string>]: Headers[Name] }
    : never;

/** The JSON body. A call may leave an optional one out: the handler then gets an empty object. */
export type BodyOf<Types extends OperationTypes> = Types extends {
  requestBody: { content: Json<infer Body> };
}
  ? Body
  : Types extends { requestBody?: { content: Json<infer Body> } }
    ? Partial<Body>
    : Record<never, never>;

/** The media types of a body that is a file; `never` for an operation that takes JSON or no body. */
export type FileTypeOf<Types extends OperationTypes> = Types extends {
  requestBody: { content: infer Content };
}
  ? Exclude<keyof Content, JsonType>
  : never;

/** The JSON of the answer with the given status; `never` where the contract has none. */
export type AnswerOf<Types extends OperationTypes, Status extends number> = {
  [Code in keyof Types['responses']]: Code extends Status
    ? Types['responses'][Code] extends { content: Json<infer Answer> }
      ? Sent<Answer>
      : never
    : never;
}[keyof Types['responses']];

/** An answer as a handler may return it: lists may be readonly, and the serializer drops members that are undefined. */
export type Sent<Value> = Value extends readonly (infer Item)[]
  ? readonly Sent<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Sent<Value[Name]> | OptionalOf<Value, Name> }
    : Value;

type OptionalOf<Value, Name extends keyof Value> =
  Record<never, never> extends Pick<Value, Name> ? undefined : never;
type JsonType = 'application/json';
type Json<Value> = { [Type in JsonType]: Value };
/** The generated types have `never` or nothing where an operation has no such parameters. */
type MembersOf<Parameters> = [NonNullable<Parameters>] extends [never]
  ? Record<never, never>
  : unknown extends Parameters
    ? Record<never, never>
    : NonNullable<Parameters>;
