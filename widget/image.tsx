/**
 * An image of the chat, with an enlarged view.
 *
 * A canvas shows it: loading needs the visitor's token, which an image URL cannot carry, and a strict policy of the page forbids
 * blob images but never canvases. An animated image shows its first frame.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CloseIcon } from './icons.tsx';
import type { Texts } from './texts.ts';

type ImageState = ImageBitmap | 'loading' | 'unavailable';

/** px; canvases have limits, and few screens are larger. */
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
  const [state, setState] = useState<ImageState>('loading');
  const [isLarge, setIsLarge] = useState(false);
  useEffect(() => {
    let isUnmounted = false;
    void decode(read).then((bitmap) => {
      if (!isUnmounted) setState(bitmap ?? 'unavailable');
    });
    return () => {
      isUnmounted = true;
    };
  }, []);
  if (state === 'unavailable') return <p class="bubble">{texts.imageUnavailable}</p>;
  const label = texts.image(name);
  if (state === 'loading') return <div class="image loading" role="img" aria-label={label} />;
  return (
    <>
      <button type="button" class="image" aria-label={label} onClick={() => setIsLarge(true)}>
        <Picture bitmap={state} />
      </button>
      {isLarge && (
        <LargeImage label={label} close={texts.closeImage} bitmap={state} onClose={() => setIsLarge(false)} />
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
      // Escape closes the image, not the panel.
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
  // Bytes that are not an image cannot be decoded.
  return blob && createImageBitmap(blob).catch(() => null);
}
