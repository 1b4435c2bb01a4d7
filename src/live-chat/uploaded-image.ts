/**
 * Images as visitors and agents upload them.
 */
import { Refusal } from '../errors.ts';
import { withoutMetadata } from './image-metadata.ts';
import { type ImageType, imageTypeOf, imageTypes } from './image-type.ts';

/** The image without its metadata. Throws Refusal MEDIA_TYPE_UNSUPPORTED. */
export function toImage(upload: Uint8Array): { type: ImageType; content: Uint8Array } {
  const type = imageTypeOf(upload);
  const content = type && withoutMetadata(type, upload);
  if (type && content) return { type, content };
  throw new Refusal('MEDIA_TYPE_UNSUPPORTED', `the body must be an image: ${imageTypes.join(', ')}`);
}
