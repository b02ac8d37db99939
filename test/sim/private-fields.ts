/** What an object keeps in its private fields, as the engine's inspector shows it to a debugger: no code need be opened for a look. */
import { type Runtime, Session } from 'node:inspector';

const SLOT = '__agentWrapPrivateFields';
const GROUP = 'private-fields';
const slot = globalThis as unknown as Record<string, unknown>;

let inspector: Session | undefined;

/** Name → value, the names with their `#`. */
export function privateFields(object: object): Map<string, unknown> {
  slot[SLOT] = object;
  const { result } = post<Runtime.EvaluateReturnType>('Runtime.evaluate', {
    expression: `globalThis.${SLOT}`,
    objectGroup: GROUP,
  });
  const { privateProperties = [] } = post<
    Runtime.GetPropertiesReturnType & { privateProperties?: Private[] }
  >('Runtime.getProperties', { objectId: result.objectId, ownProperties: true });
  const fields = privateProperties.filter(({ value }) => value?.objectId !== undefined);
  post('Runtime.callFunctionOn', {
    objectId: result.objectId,
    functionDeclaration: `function (...values) { globalThis.${SLOT} = values; }`,
    arguments: fields.map(({ value }) => ({ objectId: value?.objectId })),
    objectGroup: GROUP,
  });
  const values = slot[SLOT] as unknown[];
  post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
  delete slot[SLOT];
  return new Map(fields.map(({ name }, index) => [name, values[index]]));
}

interface Private {
  name: string;
  value?: Runtime.RemoteObject;
}

/** The session of one's own thread answers within the call. */
function post<T>(method: string, params: object): T {
  if (inspector === undefined) {
    inspector = new Session();
    inspector.connect();
  }
  let answer: unknown;
  inspector.post(method, params, (error: unknown, result: unknown) => {
    if (error) throw Object.assign(new Error(`${method} failed`), { cause: error });
    answer = result;
  });
  return answer as T;
}
