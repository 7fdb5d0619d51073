/** Colours as `#rrggbb`: contrast (WCAG 2.2), and hues turned in OKLab, where equal lightness looks equally light. */

type Triple = [number, number, number]

/** Linear sRGB, each in [0, 1]. */
function toLinear(hex: string): Triple {
  return [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as Triple
}

function luminance(hex: string): number {
  const [r, g, b] = toLinear(hex)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** Contrast ratio of two colours, 1 to 21. */
export function contrast(one: string, two: string): number {
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** Lightness, a and b (B. Ottosson, "A perceptual color space for image processing", 2020). */
export function toOklab(hex: string): Triple {
  const [r, g, b] = toLinear(hex)
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

function fromOklab([lightness, a, b]: Triple): Triple {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
}

const isShown = (linear: Triple) => linear.every((value) => value > -0.0001 && value < 1.0001)

/** The colour with another hue and the same lightness; less of the colour where a screen cannot show as much. */
export function turnHue(hex: string, radians: number): string {
  const [lightness, a, b] = toOklab(hex)
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)]
  const kept = Array.from({ length: 20 }, (_, step) => 1 - step / 20).find((share) =>
    isShown(fromOklab([lightness, share * (a * cos - b * sin), share * (a * sin + b * cos)])),
  )
  const share = kept ?? 0
  const linear = fromOklab([lightness, share * (a * cos - b * sin), share * (a * sin + b * cos)])
  const byte = (value: number) => {
    const bounded = Math.min(1, Math.max(0, value))
    const encoded = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055
    return Math.round(255 * encoded).toString(16).padStart(2, '0')
  }
  return `#${linear.map(byte).join('')}`
}
