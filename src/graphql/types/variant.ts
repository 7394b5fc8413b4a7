import { z } from 'zod';
import type { GraphQLResolveInfo } from 'graphql';
import { toPublicId } from '../../domain/ids.ts';
import { countVariants, readVariantIds } from '../../repositories/product-variants.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage, type Page } from './connection.ts';
import { implementNode, Node } from './node.ts';
import { Product } from './product.ts';

const SelectedOption = builder
  .objectRef<{ readonly name: string; readonly value: string }>('SelectedOption')
  .implement({
    description: "What a variant is among its product's variants.",
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Name of the option, e.g. "Size"' }),
      value: t.exposeString('value', { description: 'Its value, e.g. "L"' }),
    }),
  });

const Variant = builder.prismaObject('ProductVariant', {
  name: 'Variant',
  description: 'What can be bought of a product.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "var_"', resolve: ({ id }) => toPublicId('variant', id) }),
    sku: t.exposeString('sku', { nullable: true, description: 'Stock keeping unit' }),
    barcode: t.exposeString('barcode', { nullable: true, description: 'GTIN, EAN, UPC or ISBN' }),
    options: t.field({
      type: [SelectedOption],
      description: "Values of the product's options, in its order",
      select: { optionValues: true, product: { select: { optionNames: true } } },
      resolve: ({ optionValues, product }) =>
        optionValues.map((value, index) => ({
          name: product.optionNames[index] ?? `Option ${index + 1}`,
          value,
        })),
    }),
    price: t.expose('price', { type: 'Decimal', nullable: true, description: 'In `currency`' }),
    compareAtPrice: t.expose('compareAtPrice', {
      type: 'Decimal',
      nullable: true,
      description: 'Price before a reduction',
    }),
    currency: t.exposeString('currency', {
      nullable: true,
      description: 'ISO 4217; null where the file said none',
    }),
    inventoryQuantity: t.exposeInt('inventoryQuantity', { nullable: true, description: 'In stock' }),
    weightGrams: t.expose('weightGrams', { type: 'Decimal', nullable: true, description: 'Weight in grams' }),
    requiresShipping: t.exposeBoolean('requiresShipping', {
      nullable: true,
      description: 'Whether it is sent',
    }),
    taxable: t.exposeBoolean('taxable', { nullable: true, description: 'Whether tax is charged' }),
    imageUrl: t.exposeString('imageUrl', { nullable: true, description: 'Its own picture' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was imported first' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When an import changed it last' }),
    product: t.relation('product', { description: 'The product it is a variant of' }),
  }),
});

implementNode('variant', Variant, (id, ctx, info) =>
  ctx.prisma.productVariant.findFirst({
    ...selectionOf(ctx, info, 'Variant'),
    where: { id, organizationId: ctx.principal.organization.id },
  }),
);

interface VariantRow {
  readonly id: string;
}

const VariantConnection = connectionType<VariantRow>(
  'Variant',
  (t) => t.field({ type: Variant, description: 'The variant', resolve: (edge) => edge.node }),
  {
    description: "A page of a product's variants, in the order of their first import.",
    totalCount: { nullable: false, description: 'All variants of the product' },
  },
);

interface VariantPage {
  readonly first: number;
  readonly after: string | null;
}

const loadVariantIds = defineBatch((ctx, page: VariantPage, productIds: readonly string[]) =>
  readVariantIds(ctx.db, productIds, { ...page, organizationId: ctx.principal.organization.id }),
);

const loadVariantCount = defineBatch((ctx, _params: null, productIds: readonly string[]) =>
  countVariants(ctx.db, ctx.principal.organization.id, productIds),
);

const loadVariant = defineBatch(
  async (ctx, selection: ReturnType<typeof selectionOf>, ids: readonly string[]) => {
    const rows = await ctx.prisma.productVariant.findMany({
      ...selection,
      where: { organizationId: ctx.principal.organization.id, id: { in: [...ids] } },
    });
    return new Map(rows.map((row) => [row.id, row]));
  },
);

async function variantsOf(
  productId: string,
  args: { readonly first?: number | null | undefined; readonly after?: string | null | undefined },
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
): Promise<Page<VariantRow>> {
  const request = readPage(ctx, args, 'variants', z.uuid());
  const page = { first: request.first + 1, after: request.after };
  const ids = (await loadVariantIds(ctx, JSON.stringify(page), page, productId)) ?? [];
  const selection = selectionOf(ctx, info, 'Variant', ['edges', 'node']);
  const found = await Promise.all(ids.map((id) => loadVariant(ctx, info.fieldNodes[0], selection, id)));
  return toPage({
    list: 'variants',
    request,
    rows: found.filter((row) => row !== undefined),
    keyOf: (variant) => variant.id,
    totalCount: async () => (await loadVariantCount(ctx, 'count', null, productId)) ?? 0,
  });
}

builder.prismaObjectField(Product, 'variants', (t) =>
  t.field({
    type: VariantConnection,
    description: 'What can be bought of it',
    args: pageArgs,
    select: { id: true },
    resolve: (product, args, ctx, info) => variantsOf(product.id, args, ctx, info),
  }),
);
