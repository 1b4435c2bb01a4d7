/**
 * Masks the personal data in the answers of tools. Ids of contacts stay, so that a tool can use them.
 */
import { isObject, type JsonObject } from '../../json.ts';

type Mask = (object: JsonObject) => JsonObject;

/** Of a name, the first character remains. */
const maskContact: Mask = (contact) => {
  const masked = maskFields(contact, [
    ...['headshot', 'remark', 'userName', 'userEmail', 'userPhone', 'userBirthday', 'userAddress'],
    ...['accountName', 'pictureUrl', 'statusMessage', 'customerId'],
    // The id is a telephone number there.
    ...(contact.platform === 'whatsapp' ? ['platformContactId'] : []),
  ]);
  const { name } = contact;
  return typeof name === 'string' ? { ...masked, name: `${[...name][0] ?? ''}…` } : masked;
};

/** The condition of a send can be the name of one person. */
const maskSend: Mask = (send) =>
  isObject(send.filter) ? { ...send, filter: maskFields(send.filter, ['name', 'customerId']) } : send;

/** A business writes the reason as it likes. */
const maskEntry: Mask = (entry) => maskFields(entry, ['reason']);

const masks: ReadonlyMap<string, Mask> = new Map([
  ['list_contacts', maskEach('contacts', maskContact)],
  ['get_contact', maskContact],
  ['list_sends', maskEach('sends', maskSend)],
  ['get_send', maskSend],
  ['list_point_entries', maskEach('entries', maskEntry)],
]);

/** Whether the answers of a tool have personal data. */
export function isPersonal(tool: string): boolean {
  return masks.has(tool);
}

/** The answer of a tool without personal data. */
export function maskAnswer(tool: string, answer: JsonObject): JsonObject {
  return masks.get(tool)?.(answer) ?? answer;
}

function maskEach(list: string, mask: Mask): Mask {
  return (answer) => {
    const items: unknown = answer[list];
    if (!Array.isArray(items)) throw new Error(`the answer has no list ${list}`);
    return { ...answer, [list]: items.map(mask) };
  };
}

function maskFields(object: JsonObject, fields: readonly string[]): JsonObject {
  const masked = fields.filter((field) => typeof object[field] === 'string').map((field) => [field, '…']);
  return { ...object, ...Object.fromEntries(masked) };
}
