/** A soft disc, drawn once and stamped wherever it is wanted: a gradient for each of a thousand places would be slow. */
export function glow(colour: string, radius: number): HTMLCanvasElement {
  const stamp = document.createElement('canvas')
  stamp.width = stamp.height = 2 * radius
  const pen = stamp.getContext('2d')
  if (!pen) return stamp
  const light = pen.createRadialGradient(radius, radius, 0, radius, radius, radius)
  light.addColorStop(0, colour)
  // The same colour with nothing of it left: "transparent" is black, and would leave a grey rim.
  light.addColorStop(1, colour.replace('rgb(', 'rgba(').replace(')', ', 0)'))
  pen.fillStyle = light
  pen.fillRect(0, 0, stamp.width, stamp.height)
  return stamp
}
