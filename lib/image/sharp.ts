import sharp from 'sharp';

// libvips reads many formats, finds out itself which one it has, and to look at an SVG's size it parses all of it. What is
// left are the three that `pictureFormat` tells, from memory: no file, no URL. Pictures of raw pixels need no loader.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'],
});

/** The picture library, as everything here has it: `test/structure` lets no other file import it. */
export { sharp };
