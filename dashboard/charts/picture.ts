/** A chart as a PNG file: its canvas on its background, below its title. */
import { saveBlob } from '../format/save.ts';

const padding = 24;
const titleHeight = 40;

export type Picture = {
  title: string;
  /** Without `.png`. */
  fileName: string;
  /** CSS colours. */
  background: string;
  text: string;
};

/** Downloads the drawn canvas, in the size of its pixels. */
export function savePicture(canvas: HTMLCanvasElement, { title, fileName, background, text }: Picture): void {
  // A canvas has more pixels than CSS pixels on a dense screen.
  const scale = canvas.width / canvas.clientWidth;
  const picture = document.createElement('canvas');
  picture.width = canvas.width + 2 * padding * scale;
  picture.height = canvas.height + (2 * padding + titleHeight) * scale;
  const context = picture.getContext('2d');
  if (!context) throw new Error('the browser has no 2D canvas');
  context.fillStyle = background;
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = text;
  context.font = `600 ${18 * scale}px ${getComputedStyle(document.body).fontFamily}`;
  context.textBaseline = 'top';
  context.fillText(title, padding * scale, padding * scale, canvas.width);
  context.drawImage(canvas, padding * scale, (padding + titleHeight) * scale);
  picture.toBlob((blob) => {
    if (blob) saveBlob(`${fileName}.png`, blob);
  }, 'image/png');
}
