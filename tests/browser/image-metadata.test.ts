/**
 * A browser shows an image without metadata like the original: the same size, orientation and colours.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutMetadata } from '../../src/live-chat/image-metadata.ts';
import { openPage } from '../harness/browser.ts';
import { describedJpeg, describedPng, describedWebp, exif } from '../harness/images.ts';

test('an image without metadata looks the same, in every orientation', async (t) => {
  const { page } = await openPage(t);
  const render = (type: string, bytes: Uint8Array) =>
    page.evaluate<{ width: number; height: number; pixels: number[] }>(`(async () => {
      const image = new Image();
      image.src = 'data:${type};base64,${Buffer.from(bytes).toString('base64')}';
      await image.decode();
      const { naturalWidth: width, naturalHeight: height } = image;
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      return { width, height, pixels: [...context.getImageData(0, 0, width, height).data] };
    })()`);
  for (const [type, described] of [
    ['image/jpeg', describedJpeg],
    ['image/png', describedPng],
    ['image/webp', describedWebp],
  ] as const) {
    for (let orientation = 1; orientation <= 8; orientation += 1) {
      const before = described(exif(orientation, orientation % 2 === 0 ? 'II' : 'MM'));
      const after = withoutMetadata(type, before);
      assert.ok(after);
      const [old, cleaned] = [await render(type, before), await render(type, after)];
      assert.deepEqual(cleaned, old, `${type} ${orientation}`);
      if (type === 'image/jpeg') assert.equal(cleaned.height, orientation >= 5 ? 16 : 8);
    }
  }
});
