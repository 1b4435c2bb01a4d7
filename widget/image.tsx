/**
 * An image of the chat, small in its place and large when asked for.
 *
 * It is drawn on a canvas: the bytes come with the visitor's token, which no address of an image could carry, and a strict page
 * allows no images from memory, but every page allows drawing. Of a moving image, the first picture is shown.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CloseIcon } from './icons.tsx';
import type { Texts } from './texts.ts';

type Shown = ImageBitmap | 'loading' | 'unavailable';

/** px; a canvas has limits, and nobody's screen is larger. */
const sideMax = 2_048;

export function ImageView({
  texts,
  name,
  read,
}: {
  texts: Texts;
  name: string;
  read(): Promise<Blob | null>;
}): JSX.Element {
  const [shown, setShown] = useState<Shown>('loading');
  const [isLarge, setIsLarge] = useState(false);
  useEffect(() => {
    let isGone = false;
    void decode(read).then((bitmap) => {
      if (!isGone) setShown(bitmap ?? 'unavailable');
    });
    return () => {
      isGone = true;
    };
  }, []);
  if (shown === 'unavailable') return <p class="bubble">{texts.imageUnavailable}</p>;
  const label = texts.image(name);
  if (shown === 'loading') return <div class="image loading" role="img" aria-label={label} />;
  return (
    <>
      <button type="button" class="image" aria-label={label} onClick={() => setIsLarge(true)}>
        <Picture bitmap={shown} />
      </button>
      {isLarge && (
        <LargeImage label={label} close={texts.closeImage} bitmap={shown} onClose={() => setIsLarge(false)} />
      )}
    </>
  );
}

function LargeImage(parts: {
  label: string;
  close: string;
  bitmap: ImageBitmap;
  onClose(): void;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="large"
      aria-label={parts.label}
      onClose={parts.onClose}
      onClick={() => dialog.current?.close()}
      // Its Escape is not the panel's.
      onKeyDown={(event) => event.stopPropagation()}
    >
      <Picture bitmap={parts.bitmap} />
      <button type="button" class="plain" aria-label={parts.close}>
        <CloseIcon />
      </button>
    </dialog>
  );
}

function Picture({ bitmap }: { bitmap: ImageBitmap }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = Math.min(1, sideMax / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.max(1, bitmap.width * scale), Math.max(1, bitmap.height * scale)].map(
    Math.round,
  );
  useEffect(() => canvas.current?.getContext('2d')?.drawImage(bitmap, 0, 0, width ?? 1, height ?? 1), []);
  return <canvas ref={canvas} width={width} height={height} />;
}

async function decode(read: () => Promise<Blob | null>): Promise<ImageBitmap | null> {
  const blob = await read();
  // What is no image after all cannot be decoded.
  return blob && createImageBitmap(blob).catch(() => null);
}
